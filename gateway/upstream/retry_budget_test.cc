#include "gateway/upstream/retry_budget.h"

#include "gtest/gtest.h"

namespace pinion::upstream {
namespace {

TEST(RetryBudget, AllowsTheMinimumAtAnyLoad) {
  RetryBudget budget(3, 20);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(budget.Take(1));
  EXPECT_FALSE(budget.Take(1));
  budget.Return();
  EXPECT_TRUE(budget.Take(1));
}

TEST(RetryBudget, AllowsItsShareOfWhatRuns) {
  RetryBudget budget(3, 20);
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(budget.Take(100)) << i;
  EXPECT_FALSE(budget.Take(100));
}

TEST(RetryBudget, ThrottlesWhenHalfOfTheTokensAreGone) {
  RetryBudget budget(1000, 100);
  for (int i = 0; i < 49; ++i) budget.CountFailure();
  EXPECT_FALSE(budget.throttled());
  budget.CountFailure();
  EXPECT_TRUE(budget.throttled());
  EXPECT_FALSE(budget.Take(1000));
  for (int i = 0; i < 11; ++i) budget.CountSuccess();
  EXPECT_TRUE(budget.Take(1000));
}

TEST(RetryBudget, TokensEndAtBothEnds) {
  RetryBudget budget(1, 0);
  for (int i = 0; i < 1000; ++i) budget.CountSuccess();
  for (int i = 0; i < 1000; ++i) budget.CountFailure();
  EXPECT_TRUE(budget.throttled());
  for (int i = 0; i < 501; ++i) budget.CountSuccess();
  EXPECT_FALSE(budget.throttled());
}

}  // namespace
}  // namespace pinion::upstream
