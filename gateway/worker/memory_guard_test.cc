#include "gateway/worker/memory_guard.h"

#include <atomic>
#include <thread>
#include <vector>

#include "gateway/memory_limits.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/fake_clock.h"

namespace pinion::worker {
namespace {

using proxy::MemoryStage;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class MemoryGuardTest : public ::testing::Test {
 protected:
  static constexpr size_t kBudget = 1'000'000;

  std::vector<MemoryStage> TakeTold() { return std::exchange(told_, {}); }

  size_t used_ = 0;
  size_t free_ = 0;  // of that, until it is trimmed
  int trims_ = 0;
  absl::Duration trim_takes_;
  std::vector<MemoryStage> told_;
  testing::FakeClock clock_;
  MemoryGuard guard_{kBudget,
                     clock_,
                     [this](proxy::MemoryPressure pressure) { told_.push_back(pressure.stage); },
                     {.used = [this] { return used_; },
                      .trim =
                          [this] {
                            ++trims_;
                            used_ -= std::exchange(free_, 0);
                            clock_.Advance(trim_takes_);
                          }}};
};

TEST_F(MemoryGuardTest, TellsWhileMemoryIsShortAndOnceWhenItNoLongerIs) {
  guard_.Look();
  EXPECT_THAT(TakeTold(), IsEmpty());
  used_ = 930'000;
  guard_.Look();
  guard_.Look();
  used_ = 990'000;
  guard_.Look();
  used_ = 500'000;
  guard_.Look();
  guard_.Look();
  EXPECT_THAT(TakeTold(), ElementsAre(MemoryStage::kEndIdle, MemoryStage::kEndIdle,
                                      MemoryStage::kEndLargest, MemoryStage::kPlenty));
  EXPECT_EQ(guard_.status().used, 500'000u);
  EXPECT_EQ(guard_.status().budget, kBudget);
}

TEST_F(MemoryGuardTest, WhatIsFreeAlreadyIsGivenBackBeforeAnybodyEnds) {
  used_ = 990'000;
  free_ = 400'000;
  guard_.Look();
  EXPECT_EQ(trims_, 1);
  EXPECT_THAT(TakeTold(), IsEmpty());
  EXPECT_EQ(guard_.status().used, 590'000u);
}

TEST_F(MemoryGuardTest, NothingIsGivenBackWhileThereIsPlenty) {
  used_ = 900'000;
  free_ = 800'000;
  guard_.Look();
  EXPECT_EQ(trims_, 0);
}

TEST_F(MemoryGuardTest, LooksMoreOftenWhereTheBudgetIsNear) {
  used_ = 499'000;
  EXPECT_EQ(guard_.Look(), limits::kMemoryLookInterval);
  used_ = 500'000;
  EXPECT_EQ(guard_.Look(), limits::kMemoryLookIntervalNear);
}

TEST_F(MemoryGuardTest, ALongWalkThroughTheHeapIsNotSoonRepeated) {
  used_ = 990'000;
  trim_takes_ = absl::Milliseconds(200);
  EXPECT_EQ(guard_.Look(), absl::Seconds(2));
}

TEST(MemoryGuardThreadTest, LooksUntilItIsDestroyed) {
  std::atomic<int> looks = 0;
  MemoryGuard guard(1000, SystemClock(), [](proxy::MemoryPressure) {},
                    {.used =
                         [&] {
                           ++looks;
                           return size_t{0};
                         },
                     .trim = [] {}});
  guard.LookFromNowOn();
  while (looks < 2) std::this_thread::yield();
}

}  // namespace
}  // namespace pinion::worker
