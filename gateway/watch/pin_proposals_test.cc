#include "gateway/watch/pin_proposals.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gateway/watch_limits.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace pinion::watch {
namespace {

using registry::v1::ProposePinsResponse;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

route::PinProposal Of(const std::string& consumer, const std::string& version = "1.0.0") {
  return {.consumer = consumer, .service = "greeter", .version = version};
}

class PinProposalsTest : public ::testing::Test {
 protected:
  // "consumer version" of each in the next batch.
  std::vector<std::string> Take() {
    std::vector<std::string> texts;
    const registry::v1::ProposePinsRequest batch = proposals_.TakeBatch(now_);
    for (const registry::v1::PinProposal& proposal : batch.proposals()) {
      texts.push_back(absl::StrCat(proposal.consumer(), " ", proposal.version()));
    }
    return texts;
  }
  void Answer(const std::vector<ProposePinsResponse::Outcome>& outcomes) {
    ProposePinsResponse response;
    for (const auto outcome : outcomes) response.add_outcomes(outcome);
    proposals_.Answer(absl::OkStatus(), response, now_);
    now_ += limits::kPinProposalInterval;
  }

  PinProposals proposals_;
  absl::Time now_ = absl::UnixEpoch();
};

TEST_F(PinProposalsTest, EachConsumerAndServiceOnceUntilItIsAnswered) {
  proposals_.Push({Of("a"), Of("b"), Of("a", "2.0.0")});
  proposals_.Push({Of("b"), {.consumer = "a", .service = "other", .version = "7"}});
  EXPECT_THAT(Take(), ElementsAre("a 1.0.0", "b 1.0.0", "a 7"));
  proposals_.Push({Of("a")});
  EXPECT_THAT(Take(), IsEmpty()) << "one batch at a time";
  Answer(
      {ProposePinsResponse::CREATED, ProposePinsResponse::EXISTED, ProposePinsResponse::REFUSED});
  EXPECT_THAT(Take(), IsEmpty());
  proposals_.Push({Of("a")});
  EXPECT_THAT(Take(), ElementsAre("a 1.0.0"));
  const PinProposals::Counts counts = proposals_.counts();
  EXPECT_EQ(counts.created, 1);
  EXPECT_EQ(counts.existed, 1);
  EXPECT_EQ(counts.refused, 1);
  EXPECT_EQ(counts.dropped, 0);
  EXPECT_EQ(counts.waiting, 1);
}

TEST_F(PinProposalsTest, BatchesAreSmallAndNotTooFrequent) {
  for (size_t i = 0; i <= limits::kPinProposalsPerRequest; ++i) {
    proposals_.Push({Of(absl::StrCat("c", i))});
  }
  EXPECT_EQ(Take().size(), limits::kPinProposalsPerRequest);
  EXPECT_EQ(proposals_.due(), absl::InfiniteFuture()) << "its answer comes first";
  proposals_.Answer(absl::OkStatus(), {}, now_);
  EXPECT_THAT(Take(), IsEmpty());
  EXPECT_EQ(proposals_.due(), now_ + limits::kPinProposalInterval);
  now_ = proposals_.due();
  EXPECT_EQ(Take().size(), 1u);
}

TEST_F(PinProposalsTest, WaitsBoundedWhileTheRegistryIsAway) {
  proposals_.Push({Of("first")});
  ASSERT_EQ(Take().size(), 1u);
  for (size_t i = 0; i < 2 * limits::kPinProposalsQueuedMax; ++i) {
    proposals_.Push({Of(absl::StrCat("c", i))});
  }
  EXPECT_EQ(proposals_.counts().waiting, static_cast<int64_t>(limits::kPinProposalsQueuedMax));
  EXPECT_EQ(proposals_.counts().dropped, static_cast<int64_t>(limits::kPinProposalsQueuedMax) + 1);
  proposals_.Answer(absl::UnavailableError("away"), {}, now_);
  EXPECT_EQ(proposals_.due(), now_ + limits::kPinProposalRetry);
  now_ = proposals_.due();
  EXPECT_EQ(Take().front(), "first 1.0.0") << "nothing that was accepted is lost";
  EXPECT_EQ(proposals_.counts().refused, 0);
}

TEST_F(PinProposalsTest, ARegistryThatKnowsNoProposalsIsNotAskedAgainForThese) {
  proposals_.Push({Of("a"), Of("b")});
  ASSERT_EQ(Take().size(), 2u);
  proposals_.Answer(absl::UnimplementedError("no such method"), {}, now_);
  EXPECT_EQ(proposals_.counts().refused, 2);
  EXPECT_EQ(proposals_.counts().waiting, 0);
  EXPECT_EQ(proposals_.due(), absl::InfiniteFuture());
}

TEST_F(PinProposalsTest, WakesWhenTheQueueIsEmptyNoMore) {
  int wakes = 0;
  proposals_.WakeWith([&wakes] { ++wakes; });
  proposals_.Push({Of("a")});
  proposals_.Push({Of("b")});
  EXPECT_EQ(wakes, 1);
  ASSERT_EQ(Take().size(), 2u);
  proposals_.Push({Of("a")});
  EXPECT_EQ(wakes, 1) << "it is on its way";
  proposals_.Push({Of("c")});
  EXPECT_EQ(wakes, 2);
  proposals_.WakeWith(nullptr);
  Answer({});
  ASSERT_EQ(Take().size(), 1u);
  proposals_.Push({Of("d")});
  EXPECT_EQ(wakes, 2);
}

}  // namespace
}  // namespace pinion::watch
