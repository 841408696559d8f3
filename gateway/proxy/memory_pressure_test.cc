#include "gateway/proxy/memory_pressure.h"

#include "gtest/gtest.h"

namespace pinion::proxy {
namespace {

constexpr size_t kBudget = 1000;

TEST(MemoryPressureTest, EachShareOfTheBudgetHasItsStage) {
  const auto stage = [](size_t used) { return JudgeMemory(used, kBudget).stage; };
  EXPECT_EQ(stage(0), MemoryStage::kPlenty);
  EXPECT_EQ(stage(919), MemoryStage::kPlenty);
  EXPECT_EQ(stage(920), MemoryStage::kEndIdle);
  EXPECT_EQ(stage(949), MemoryStage::kEndIdle);
  EXPECT_EQ(stage(950), MemoryStage::kRefuseCalls);
  EXPECT_EQ(stage(979), MemoryStage::kRefuseCalls);
  EXPECT_EQ(stage(980), MemoryStage::kEndLargest);
  EXPECT_EQ(stage(5000), MemoryStage::kEndLargest);
}

TEST(MemoryPressureTest, GivesBackDownToWhereCallsAreTakenAgainAndOnlyFromTheLastStage) {
  EXPECT_EQ(JudgeMemory(979, kBudget).give_back, 0u);
  EXPECT_EQ(JudgeMemory(980, kBudget).give_back, 30u);
  EXPECT_EQ(JudgeMemory(5000, kBudget).give_back, 4050u);
}

TEST(MemoryPressureTest, TheLargestNumbersAreNotTooLarge) {
  EXPECT_EQ(JudgeMemory(0, SIZE_MAX).stage, MemoryStage::kPlenty);
  EXPECT_EQ(JudgeMemory(SIZE_MAX, SIZE_MAX).stage, MemoryStage::kEndLargest);
}

}  // namespace
}  // namespace pinion::proxy
