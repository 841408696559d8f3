#include "registry/version/ramp.h"

#include <set>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace pinion::version {
namespace {

constexpr int kConsumers = 10'000;

std::set<int> Among(const RampShare& share) {
  std::set<int> among;
  for (int i = 0; i < kConsumers; ++i) {
    if (share.Includes(absl::StrCat("team/consumer-", i))) among.insert(i);
  }
  return among;
}

size_t Common(const std::set<int>& a, const std::set<int>& b) {
  size_t common = 0;
  for (const int i : a) common += b.count(i);
  return common;
}

// Gateways of different releases stand beside each other: these numbers may never change.
TEST(RampTest, APlaceIsTheSameForEver) {
  const RampShare share("addressbook", "stable", "2.0.0", 10);
  EXPECT_EQ(share.Place("billing"), 0xad123dcbd8aeff82u);
  EXPECT_EQ(share.Place("shipping"), 0x91948a6996da1b25u);
  EXPECT_EQ(share.Place(""), 0x9ce6c1424e23b35cu);
  // Parts do not run into each other.
  EXPECT_NE(RampShare("addressbook", "stable2", ".0.0", 10).Place("billing"),
            share.Place("billing"));
}

TEST(RampTest, ALargerShareOnlyAddsConsumers) {
  std::set<int> before;
  for (const uint32_t percent : {1, 10, 11, 50, 90, 99}) {
    const std::set<int> among = Among({"addressbook", "stable", "2.0.0", percent});
    EXPECT_NEAR(static_cast<double>(among.size()), percent * kConsumers / 100.0, 150) << percent;
    EXPECT_EQ(Common(before, among), before.size()) << percent;
    before = among;
  }
}

TEST(RampTest, AnotherVersionChannelOrServiceBeginsWithOtherConsumers) {
  const std::set<int> among = Among({"addressbook", "stable", "2.0.0", 10});
  for (const RampShare& other : {RampShare("addressbook", "stable", "2.0.1", 10),
                                 RampShare("addressbook", "stable", "3.0.0", 10),
                                 RampShare("addressbook", "edge", "2.0.0", 10),
                                 RampShare("ledger", "stable", "2.0.0", 10)}) {
    // By chance a tenth of them is among the others too.
    EXPECT_NEAR(static_cast<double>(Common(among, Among(other))), 100, 45);
  }
}

TEST(RampTest, WhatAChannelMeans) {
  routing::v1::Channel channel;
  channel.set_service("addressbook");
  channel.set_name("stable");
  channel.set_version("1.0.0");
  EXPECT_EQ(VersionFor(channel, "billing"), "1.0.0");
  channel.mutable_ramp()->set_version("2.0.0");
  channel.mutable_ramp()->set_percent(50);
  const RampShare share("addressbook", "stable", "2.0.0", 50);
  int ramped = 0;
  for (int i = 0; i < 100; ++i) {
    const std::string consumer = absl::StrCat("c", i);
    EXPECT_EQ(VersionFor(channel, consumer), share.Includes(consumer) ? "2.0.0" : "1.0.0");
    ramped += share.Includes(consumer) ? 1 : 0;
  }
  EXPECT_NEAR(ramped, 50, 20);
  EXPECT_EQ(VersionFor(channel, ""), "1.0.0") << "who is no registered consumer stays";
}

}  // namespace
}  // namespace pinion::version
