#include "gateway/watch/watch_status.h"

#include "base/log.h"
#include "gateway/watch_limits.h"
#include "gtest/gtest.h"
#include "tests/testing/fake_clock.h"

namespace pinion::watch {
namespace {

class StatusBoardTest : public ::testing::Test {
 protected:
  StatusBoardTest() { log::SetLevel(log::Level::kOff); }
  ~StatusBoardTest() override { log::SetLevel(log::Level::kInfo); }

  pinion::testing::FakeClock clock_;
  StatusBoard board_{clock_};
};

TEST_F(StatusBoardTest, AgeTellsAFrozenGatewayFromAQuietOne) {
  EXPECT_TRUE(board_.status().frozen()) << "nobody has confirmed anything yet";
  board_.Confirm(7);
  EXPECT_EQ(board_.status().age, absl::ZeroDuration());
  EXPECT_FALSE(board_.status().frozen());

  board_.Problem("away");
  clock_.Advance(limits::kWatchFrozenAfter);
  EXPECT_FALSE(board_.status().frozen()) << "a registry that restarts";
  clock_.Advance(absl::Seconds(1));
  EXPECT_TRUE(board_.status().frozen());
  EXPECT_EQ(board_.status().age, limits::kWatchFrozenAfter + absl::Seconds(1));

  board_.Confirm(8);
  EXPECT_FALSE(board_.status().frozen());
  EXPECT_EQ(board_.status().revision, 8);
  EXPECT_EQ(board_.status().problem, "");
}

TEST_F(StatusBoardTest, ARefusalStandsUntilTheRegistryIsFollowedAgain) {
  board_.Confirm(7);
  board_.Refused({.reason = RefusalReason::kLowerRevision, .registry_ids = {"r"}}, "set back");
  EXPECT_TRUE(board_.status().frozen());
  board_.Problem("away");
  board_.Refused({.reason = RefusalReason::kOtherRegistry, .registry_ids = {"s"}}, "another");
  const WatchStatus status = board_.status();
  EXPECT_EQ(status.problem, "another");
  ASSERT_TRUE(status.refusal.has_value());
  EXPECT_EQ(status.refusal->registry_ids[0], "s");
  EXPECT_EQ(status.refused[static_cast<size_t>(RefusalReason::kLowerRevision)], 1);
  EXPECT_EQ(status.refused[static_cast<size_t>(RefusalReason::kOtherRegistry)], 1);
  board_.Confirm(7);
  EXPECT_FALSE(board_.status().refusal.has_value());
  EXPECT_FALSE(board_.status().frozen());
}

}  // namespace
}  // namespace pinion::watch
