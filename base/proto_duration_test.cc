#include "base/proto_duration.h"

#include <cstdint>

#include "gtest/gtest.h"

namespace pinion {
namespace {

constexpr int64_t kSecondsMax = 315'576'000'000;

google::protobuf::Duration Proto(int64_t seconds, int32_t nanos) {
  google::protobuf::Duration proto;
  proto.set_seconds(seconds);
  proto.set_nanos(nanos);
  return proto;
}

TEST(ProtoDuration, BothWays) {
  const struct {
    absl::Duration duration;
    int64_t seconds;
    int32_t nanos;
  } cases[] = {
      {absl::ZeroDuration(), 0, 0},
      {absl::Milliseconds(1500), 1, 500'000'000},
      {absl::Milliseconds(-1500), -1, -500'000'000},
      {absl::Nanoseconds(-1), 0, -1},
      {absl::Hours(24), 86'400, 0},
      {absl::Seconds(kSecondsMax), kSecondsMax, 0},
      {absl::Seconds(-kSecondsMax), -kSecondsMax, 0},
  };
  for (const auto& each : cases) {
    const google::protobuf::Duration proto = ToProto(each.duration);
    EXPECT_EQ(proto.seconds(), each.seconds) << each.duration;
    EXPECT_EQ(proto.nanos(), each.nanos) << each.duration;
    EXPECT_TRUE(IsDuration(proto)) << each.duration;
    EXPECT_EQ(FromProto(proto), each.duration);
  }
}

TEST(ProtoDuration, WhatFitsNoMessageIsTheNearestThatDoes) {
  const struct {
    absl::Duration duration;
    int64_t seconds;
    int32_t nanos;
  } cases[] = {
      {absl::InfiniteDuration(), kSecondsMax, 0},
      {-absl::InfiniteDuration(), -kSecondsMax, 0},
      {absl::Seconds(kSecondsMax) + absl::Nanoseconds(1), kSecondsMax, 0},
      {absl::Nanoseconds(3) / 2, 0, 1},
      {absl::Nanoseconds(-3) / 2, 0, -1},
  };
  for (const auto& each : cases) {
    const google::protobuf::Duration proto = ToProto(each.duration);
    EXPECT_EQ(proto.seconds(), each.seconds) << each.duration;
    EXPECT_EQ(proto.nanos(), each.nanos) << each.duration;
    EXPECT_TRUE(IsDuration(proto)) << each.duration;
  }
}

TEST(ProtoDuration, AMessageMayHoldWhatIsNoDuration) {
  const struct {
    google::protobuf::Duration proto;
    absl::Duration duration;
  } cases[] = {
      {Proto(kSecondsMax + 1, 0), absl::Seconds(kSecondsMax)},
      {Proto(-kSecondsMax - 1, 0), absl::Seconds(-kSecondsMax)},
      {Proto(INT64_MAX, INT32_MAX), absl::Seconds(kSecondsMax)},
      {Proto(INT64_MIN, INT32_MIN), absl::Seconds(-kSecondsMax)},
      {Proto(1, 1'000'000'000), absl::Seconds(2)},
      {Proto(-1, -1'000'000'000), absl::Seconds(-2)},
      {Proto(1, -1), absl::Seconds(1) - absl::Nanoseconds(1)},
      {Proto(-1, 1), absl::Nanoseconds(1) - absl::Seconds(1)},
  };
  for (const auto& each : cases) {
    EXPECT_FALSE(IsDuration(each.proto)) << each.proto.ShortDebugString();
    EXPECT_EQ(FromProto(each.proto), each.duration) << each.proto.ShortDebugString();
  }
}

}  // namespace
}  // namespace pinion
