#include "tests/testing/random.h"

#include <set>

#include "gtest/gtest.h"

namespace pinion::testing {
namespace {

TEST(RandomTest, GivesTheSameNumbersOnEveryPlatform) {
  // Reference values of SplitMix64, so that a seed means the same run everywhere.
  Random random(0);
  EXPECT_EQ(random.Next(), 0xe220a8397b1dcdafu);
  EXPECT_EQ(random.Next(), 0x6e789e6aa1b965f4u);
  EXPECT_EQ(random.Next(), 0x6c45d188009454fu);
}

TEST(RandomTest, BetweenIncludesBothEnds) {
  Random random(1);
  std::set<uint64_t> seen;
  for (int i = 0; i < 200; ++i) seen.insert(random.Between(uint64_t{3}, uint64_t{6}));
  EXPECT_EQ(seen, (std::set<uint64_t>{3, 4, 5, 6}));
}

TEST(RandomTest, SizesCoverAllMagnitudes) {
  Random random(2);
  size_t small = 0;
  size_t large = 0;
  for (int i = 0; i < 2000; ++i) {
    const size_t size = random.Size(1000);
    ASSERT_GE(size, 1u);
    ASSERT_LE(size, 1000u);
    small += size <= 4;
    large += size > 500;
  }
  EXPECT_GT(small, 100u);
  EXPECT_GT(large, 50u);
}

TEST(RandomTest, ForksDrawIndependently) {
  Random a(3);
  Random b(3);
  Random fork = a.Fork();
  b.Fork();
  fork.Next();
  EXPECT_EQ(a.Next(), b.Next());
}

}  // namespace
}  // namespace pinion::testing
