#include "gateway/http2/flood_guards.h"

#include <gtest/gtest.h>

namespace pinion::http2 {
namespace {

const absl::Time kStart = absl::FromUnixSeconds(1000);

TEST(DecayingCount, StopsABurstAndForgetsIt) {
  DecayingCount count;
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(count.Add(kStart, 100)) << i;
  EXPECT_FALSE(count.Add(kStart, 100));
  EXPECT_FALSE(count.Add(kStart + absl::Milliseconds(999), 100));
  EXPECT_TRUE(count.Add(kStart + absl::Seconds(1), 100)) << "half of it is left";
  EXPECT_TRUE(count.Add(kStart + absl::Hours(1), 1)) << "nothing of it is left";
}

TEST(DecayingCount, AllowsHalfOfTheLimitASecondForEver) {
  DecayingCount count;
  for (int second = 0; second < 1000; ++second) {
    for (int i = 0; i < 50; ++i) {
      ASSERT_TRUE(count.Add(kStart + absl::Seconds(second), 100)) << second;
    }
  }
}

TEST(DecayingCount, KeepaliveForAMonth) {
  DecayingCount count;
  absl::Time now = kStart;
  for (; now < kStart + absl::Hours(24 * 31); now += absl::Seconds(10)) {
    ASSERT_TRUE(count.Add(now, 2));
  }
}

TEST(TokenBucket, EmptiesAndRefills) {
  TokenBucket bucket(10, 10, 5);
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(bucket.Take(kStart));
  EXPECT_FALSE(bucket.Take(kStart));
  EXPECT_FALSE(bucket.Take(kStart + absl::Milliseconds(199)));
  EXPECT_TRUE(bucket.Take(kStart + absl::Milliseconds(201)));
  EXPECT_FALSE(bucket.Take(kStart + absl::Milliseconds(201)));
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(bucket.Take(kStart + absl::Hours(1))) << i;
  EXPECT_FALSE(bucket.Take(kStart + absl::Hours(1))) << "no more than a full bucket";
}

TEST(TokenBucket, RewardsFillItToTheBrimOnly) {
  TokenBucket bucket(0, 3, 0);
  EXPECT_FALSE(bucket.Take(kStart));
  bucket.Give(100);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(bucket.Take(kStart));
  EXPECT_FALSE(bucket.Take(kStart));
}

TEST(FloodGuards, DeadlinesOnALongConnectionAreNoRapidReset) {
  FloodGuards guards(Role::kServer);
  for (int i = 0; i < 100000; ++i) {  // one call in two is cancelled, all in one instant
    ASSERT_TRUE(guards.ResetByPeer(kStart, true)) << i;
    guards.OnStreamCompleted();
  }
  int survived = 0;
  while (guards.ResetByPeer(kStart, true)) ++survived;
  EXPECT_EQ(survived, static_cast<int>(limits::kResetBurst));
}

TEST(FloodGuards, AFastDownloadPaysForItsWindowUpdates) {
  FloodGuards guards(Role::kServer);
  for (int i = 0; i < 100000; ++i) {
    guards.OnDataSent(1);
    ASSERT_TRUE(guards.WindowUpdate(kStart));
    ASSERT_TRUE(guards.WindowUpdate(kStart));
  }
  uint32_t survived = 0;
  while (guards.WindowUpdate(kStart)) ++survived;
  EXPECT_LE(survived, limits::kWindowUpdatesMax);
}

TEST(FloodGuards, AServerCannotRunOutOfResetsOfOurOwnStreams) {
  FloodGuards guards(Role::kClient);
  for (int i = 0; i < 100000; ++i) ASSERT_TRUE(guards.ResetByPeer(kStart, true));
  int survived = 0;
  while (guards.ResetByPeer(kStart, false)) ++survived;
  EXPECT_EQ(survived, static_cast<int>(limits::kResetBurst));
}

}  // namespace
}  // namespace pinion::http2
