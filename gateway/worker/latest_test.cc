#include "gateway/worker/latest.h"

#include "gtest/gtest.h"

namespace pinion::worker {
namespace {

TEST(LatestTest, WhatIsNotTakenIsReplacedAndToldOnce) {
  Latest<int> latest;
  EXPECT_TRUE(latest.Put(1));
  EXPECT_FALSE(latest.Put(2));
  EXPECT_FALSE(latest.Put(3));
  EXPECT_EQ(latest.Take(), 3);
  EXPECT_TRUE(latest.Put(4));
  EXPECT_EQ(latest.Take(), 4);
}

}  // namespace
}  // namespace pinion::worker
