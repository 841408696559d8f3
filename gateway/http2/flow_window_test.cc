#include "gateway/http2/flow_window.h"

#include <gtest/gtest.h>

namespace pinion::http2 {
namespace {

TEST(SendWindow, MayBecomeNegativeAndOpensAgain) {
  SendWindow window(100);
  window.Spend(80);
  EXPECT_TRUE(window.Add(-50));
  EXPECT_EQ(window.available(), -30);
  EXPECT_FALSE(window.open());
  EXPECT_TRUE(window.Add(30));
  EXPECT_FALSE(window.open());
  EXPECT_TRUE(window.Add(1));
  EXPECT_TRUE(window.open());
}

TEST(SendWindow, RefusesToOverflow) {
  SendWindow window(1);
  EXPECT_FALSE(window.Add(kMaxWindowBytes));
  EXPECT_EQ(window.available(), 1);
  EXPECT_TRUE(window.Add(kMaxWindowBytes - 1));
  EXPECT_FALSE(window.Add(1));
}

TEST(ReceiveWindow, ReturnsFromHalfOn) {
  ReceiveWindow window(100);
  EXPECT_TRUE(window.Receive(100));
  EXPECT_FALSE(window.Receive(1));
  EXPECT_EQ(window.Return(49), 0u);
  EXPECT_FALSE(window.Receive(1)) << "not announced yet";
  EXPECT_EQ(window.Return(1), 50u);
  EXPECT_TRUE(window.Receive(50));
  EXPECT_FALSE(window.Receive(1));
}

TEST(ReceiveWindow, ResizeTakesBackWhatWasNotUsed) {
  ReceiveWindow window(65535);
  EXPECT_TRUE(window.Receive(1000));
  window.Resize(500);
  EXPECT_EQ(window.available(), -500);
  EXPECT_FALSE(window.Receive(1));
  EXPECT_EQ(window.Return(1000), 1000u);
  EXPECT_TRUE(window.Receive(500));
}

}  // namespace
}  // namespace pinion::http2
