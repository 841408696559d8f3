#include "base/proto_duration.h"

#include <algorithm>
#include <cstdint>

namespace pinion {
namespace {

constexpr int64_t kSecondsMax = 315'576'000'000;
constexpr int32_t kNanosMax = 999'999'999;
constexpr absl::Duration kMax = absl::Seconds(kSecondsMax);

absl::Duration Bounded(absl::Duration duration) { return std::clamp(duration, -kMax, kMax); }

}  // namespace

bool IsDuration(const google::protobuf::Duration& proto) {
  const int64_t seconds = proto.seconds();
  const int32_t nanos = proto.nanos();
  const bool within = seconds >= -kSecondsMax && seconds <= kSecondsMax && nanos >= -kNanosMax &&
                      nanos <= kNanosMax;
  return within && !(seconds > 0 && nanos < 0) && !(seconds < 0 && nanos > 0);
}

absl::Duration FromProto(const google::protobuf::Duration& proto) {
  return Bounded(absl::Seconds(proto.seconds()) + absl::Nanoseconds(proto.nanos()));
}

google::protobuf::Duration ToProto(absl::Duration duration) {
  duration = Bounded(duration);
  google::protobuf::Duration proto;
  proto.set_seconds(absl::IDivDuration(duration, absl::Seconds(1), &duration));
  proto.set_nanos(static_cast<int32_t>(absl::ToInt64Nanoseconds(duration)));
  return proto;
}

}  // namespace pinion
