#include "gateway/proxy/pin_proposals.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gateway/watch_limits.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/sim_loop.h"
#include "tests/testing/sim_world.h"

namespace pinion::proxy {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class PinProposalsTest : public ::testing::Test {
 protected:
  PinProposalsTest() {
    service_.name = "greeter";
    version_.name = "1.0.0";
  }

  // A turn in which calls of these consumers are routed; what it hands over.
  std::vector<std::string> Turn(const std::vector<std::string>& consumers) {
    handed_over_.clear();
    loop_.Post([test = this, &consumers] {
      for (const std::string& name : consumers) {
        test->proposals_.Note({.service = &test->service_, .version = &test->version_},
                              {.id = 1, .name = name, .default_channel = ""});
        EXPECT_THAT(test->handed_over_, IsEmpty()) << "not while the call is routed";
      }
    });
    world_.RunFor(absl::Milliseconds(1));
    return handed_over_;
  }
  // A world in which nothing happens stands still.
  void Rest() {
    world_.After(limits::kPinProposalRest, [] {});
    world_.RunFor(absl::InfiniteDuration());
  }

  testing::SimWorld world_{1};
  testing::SimLoop loop_{world_};
  Stats stats_;
  route::ServiceEntry service_;
  route::VersionEntry version_;
  std::vector<std::string> handed_over_;
  PinProposals proposals_{
      loop_, stats_, [this](std::vector<route::PinProposal> proposals) {
        for (const route::PinProposal& each : proposals) {
          handed_over_.push_back(absl::StrCat(each.consumer, " ", each.service, " ", each.version));
        }
      }};
};

TEST_F(PinProposalsTest, ACallersManyCallsProposeOnce) {
  EXPECT_THAT(Turn({"a", "b", "a", "a"}), ElementsAre("a greeter 1.0.0", "b greeter 1.0.0"));
  EXPECT_THAT(Turn({"a", "b"}), IsEmpty());
  service_.name = "other";
  EXPECT_THAT(Turn({"a"}), ElementsAre("a other 1.0.0"));
}

TEST_F(PinProposalsTest, WhatCameToNothingIsProposedAgainLater) {
  EXPECT_THAT(Turn({"a"}), ElementsAre("a greeter 1.0.0"));
  Rest();
  version_.name = "1.1.0";
  EXPECT_THAT(Turn({"a"}), ElementsAre("a greeter 1.1.0"));
}

TEST_F(PinProposalsTest, TooManyAreDroppedAndCounted) {
  std::vector<std::string> consumers;
  for (size_t i = 0; i < limits::kPinProposalsRemembered + 3; ++i) {
    consumers.push_back(absl::StrCat("c", i));
  }
  EXPECT_EQ(Turn(consumers).size(), limits::kPinProposalsRemembered);
  EXPECT_EQ(stats_.pin_proposals_dropped.value(), 3u);
  Rest();
  EXPECT_THAT(Turn({consumers.back()}).size(), 1) << "a later call asks again";
}

TEST_F(PinProposalsTest, NobodyTakesThem) {
  PinProposals none(loop_, stats_, nullptr);
  none.Note({.service = &service_, .version = &version_}, {.id = 1, .name = "a"});
  world_.RunFor(absl::Milliseconds(1));
  EXPECT_EQ(stats_.pin_proposals_dropped.value(), 0u);
}

}  // namespace
}  // namespace pinion::proxy
