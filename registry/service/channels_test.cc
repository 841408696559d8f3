// Channels on their way from one version to the next: who is led where, and what follows for pins,
// retirement and the audit log.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "registry/model/retirement.h"
#include "registry/service/operations.h"
#include "registry/version/ramp.h"
#include "tests/testing/registry_fixture.h"

namespace pinion::service {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr int kConsumers = 60;

class ChannelsTest : public RegistryFixture {
 protected:
  // addressbook with 1.0.0, which is stable, and 2.0.0, both active.
  void SetUp() override {
    SetUpAddressBook();
    ASSERT_TRUE(Publish("addressbook", "2.0.0").ok());
    ASSERT_TRUE(Register("addressbook", "2.0.0", 9002).ok());
  }
  absl::StatusOr<v1::RampChannelResponse> Ramp(const std::string& ramp,
                                               const std::string& rest = "") {
    return Call(RampChannel, absl::StrCat("service: 'addressbook' name: 'stable' ", rest,
                                          ramp.empty() ? "" : " ramp { " + ramp + " }"));
  }
  absl::StatusOr<v1::RampChannelResponse> RampTo(const std::string& version, int percent) {
    return Ramp(absl::StrCat("version: '", version, "' percent: ", percent));
  }
  absl::StatusOr<v1::Channel> Set(const std::string& version) {
    return Call(SetChannel, absl::StrCat("channel { service: 'addressbook' name: 'stable' version: "
                                         "'",
                                         version, "' }"));
  }
  v1::Channel Stable() { return *Call(GetChannel, "service: 'addressbook' name: 'stable'"); }
  // c0, c1, … each pinned to @stable.
  void PinConsumers() {
    for (int i = 0; i < kConsumers; ++i) {
      const std::string name = absl::StrCat("c", i);
      ASSERT_TRUE(Call(CreateConsumer, absl::StrCat("consumer { name: '", name, "' }")).ok());
      ASSERT_TRUE(Pin(name, "addressbook", "@stable").ok());
    }
  }
  int Among(int percent) {
    const version::RampShare share("addressbook", "stable", "2.0.0",
                                   static_cast<uint32_t>(percent));
    int among = 0;
    for (int i = 0; i < kConsumers; ++i) among += share.Includes(absl::StrCat("c", i)) ? 1 : 0;
    return among;
  }
  // "KIND subject: command" of each.
  std::vector<std::string> BlockersBut(const std::string& version,
                                       const std::vector<v1::RetirementBlocker::Kind>& without) {
    std::vector<std::string> texts;
    const auto found =
        Call(ListRetirementBlockers, absl::StrCat("service: 'addressbook' name: '", version, "'"));
    for (const auto& blocker : found->blockers()) {
      if (std::find(without.begin(), without.end(), blocker.kind()) != without.end()) continue;
      texts.push_back(absl::StrCat(v1::RetirementBlocker::Kind_Name(blocker.kind()), " ",
                                   blocker.subject(), ": ", blocker.command()));
    }
    return texts;
  }
  std::vector<std::string> ChannelBlockers(const std::string& version) {
    return BlockersBut(version, {v1::RetirementBlocker::STATE, v1::RetirementBlocker::INSTANCE});
  }
};

TEST_F(ChannelsTest, ARampGrowsIsCompletedAndIsAudited) {
  const int64_t before = Stable().meta().revision();
  const auto made = Ramp("version: '2.0.0' percent: 10",
                         absl::StrCat("expected_revision: ", before, " reason: 'carefully'"));
  ASSERT_TRUE(made.ok()) << made.status();
  EXPECT_TRUE(made->changed());
  EXPECT_FALSE(made->has_old_ramp());
  EXPECT_EQ(made->channel().channel().version(), "1.0.0");
  EXPECT_EQ(made->channel().channel().ramp().percent(), 10u);
  EXPECT_EQ(made->channel().meta().revision(), store_.revision());
  EXPECT_EQ(NewestAudit().command(), "channel.ramp");
  EXPECT_EQ(NewestAudit().object(), "addressbook @stable");
  EXPECT_EQ(NewestAudit().reason(), "carefully");
  EXPECT_THAT(NewestAudit().new_value(), HasSubstr(R"("ramp":{"version":"2.0.0","percent":10})"));
  // The same again is no change; the version need not be said again.
  const store::Revision revision = store_.revision();
  EXPECT_FALSE(RampTo("2.0.0", 10)->changed());
  EXPECT_FALSE(Ramp("percent: 10")->changed());
  EXPECT_EQ(store_.revision(), revision);
  const auto grown = Ramp("percent: 50");
  ASSERT_TRUE(grown.ok()) << grown.status();
  EXPECT_EQ(grown->channel().channel().ramp().version(), "2.0.0");
  EXPECT_EQ(grown->old_ramp().percent(), 10u);
  EXPECT_EQ(Call(ListChannels, "")->channels(0).channel().ramp().percent(), 50u);

  const auto completed = Set("2.0.0");
  ASSERT_TRUE(completed.ok()) << completed.status();
  EXPECT_FALSE(completed->channel().has_ramp());
  EXPECT_EQ(completed->previous_version(), "1.0.0");
  EXPECT_EQ(completed->meta().revision(), store_.revision());
}

TEST_F(ChannelsTest, ARampIsTakenBackEitherWay) {
  ASSERT_TRUE(RampTo("2.0.0", 10).ok());
  const auto stopped = Ramp("");
  ASSERT_TRUE(stopped.ok()) << stopped.status();
  EXPECT_TRUE(stopped->changed());
  EXPECT_FALSE(stopped->channel().channel().has_ramp());
  EXPECT_EQ(stopped->old_ramp().version(), "2.0.0");
  EXPECT_FALSE(Ramp("")->changed());
  ASSERT_TRUE(RampTo("2.0.0", 10).ok());
  EXPECT_FALSE(Set("1.0.0")->channel().has_ramp());
  EXPECT_EQ(NewestAudit().command(), "channel.set");
}

TEST_F(ChannelsTest, WhatIsNoRampIsRefusedAndChangesNothing) {
  ASSERT_TRUE(Publish("addressbook", "3.0.0").ok());
  const store::Revision revision = store_.revision();
  EXPECT_EQ(Outcome(RampTo("2.0.0", 0).status()), "INVALID_ARGUMENT ARGUMENT_INVALID");
  EXPECT_EQ(Outcome(RampTo("2.0.0", 100).status()), "INVALID_ARGUMENT ARGUMENT_INVALID");
  EXPECT_EQ(Outcome(RampTo("1.0.0", 10).status()), "INVALID_ARGUMENT ARGUMENT_INVALID");
  EXPECT_EQ(Outcome(Ramp("percent: 10").status()), "INVALID_ARGUMENT ARGUMENT_INVALID");
  EXPECT_EQ(Outcome(RampTo("2.0.1", 10).status()), "NOT_FOUND VERSION_NOT_FOUND");
  EXPECT_EQ(Outcome(RampTo("3.0.0", 10).status()), "FAILED_PRECONDITION VERSION_NOT_ACTIVE");
  EXPECT_EQ(Outcome(Ramp("version: '2.0.0' percent: 10", "expected_revision: 1").status()),
            "ABORTED REVISION_CONFLICT");
  EXPECT_EQ(Outcome(Call(RampChannel, "service: 'addressbook' name: 'beta'").status()),
            "NOT_FOUND CHANNEL_NOT_FOUND");
  EXPECT_EQ(Outcome(Call(RampChannel, "service: 'address' name: 'stable'").status()),
            "NOT_FOUND SERVICE_UNKNOWN");
  EXPECT_EQ(Outcome(Call(GetChannel, "service: 'addressbook' name: '@stable'").status()),
            "INVALID_ARGUMENT NAME_MALFORMED");
  EXPECT_EQ(Outcome(Call(SetChannel,
                         "channel { service: 'addressbook' name: 'stable' version: '1.0.0' "
                         "ramp { version: '2.0.0' percent: 10 } }")
                        .status()),
            "INVALID_ARGUMENT ARGUMENT_INVALID");
  EXPECT_EQ(store_.revision(), revision);
}

TEST_F(ChannelsTest, BothVersionsMustBeSuchAsAChannelMayLeadTo) {
  ASSERT_TRUE(Call(DeprecateVersion,
                   absl::StrCat("service: 'addressbook' name: '1.0.0' sunset_time { seconds: ",
                                absl::ToUnixSeconds(clock_.Wall()) + 60, " }"))
                  .ok());
  EXPECT_TRUE(RampTo("2.0.0", 10).ok()) << "a deprecated version is one";
  clock_.Advance(absl::Minutes(1));
  ASSERT_EQ(*SunsetDueVersions(*registry_), 1);
  EXPECT_EQ(Outcome(RampTo("2.0.0", 20).status()), "FAILED_PRECONDITION VERSION_NOT_ACTIVE");
  EXPECT_TRUE(Ramp("").ok()) << "taking it back is always possible";
}

TEST_F(ChannelsTest, PinsMeanWhatTheirConsumersGetAndMovesAreCounted) {
  PinConsumers();
  const auto begun = RampTo("2.0.0", 30);
  ASSERT_EQ(begun->moved_size(), 1);
  EXPECT_EQ(begun->moved(0).expression(), "@stable");
  EXPECT_EQ(begun->moved(0).old_version(), "1.0.0");
  EXPECT_EQ(begun->moved(0).new_version(), "2.0.0");
  EXPECT_EQ(begun->moved(0).consumers(), Among(30));
  EXPECT_EQ(NewestAudit().moved(0).consumers(), Among(30));
  // However the pins are read.
  const version::RampShare share("addressbook", "stable", "2.0.0", 30);
  const auto expected = [&share](const std::string& consumer) {
    return share.Includes(consumer) ? "2.0.0" : "1.0.0";
  };
  for (const char* request : {"service: 'addressbook'", "", "consumer: 'c7'"}) {
    const auto pins = Call(ListPins, request);
    EXPECT_GE(pins->pins_size(), 1);
    for (const v1::Pin& pin : pins->pins()) {
      EXPECT_EQ(pin.resolved_version(), expected(pin.pin().consumer())) << request;
    }
  }
  int seen = 0;
  for (int i = 0; i < kConsumers; ++i) {
    const std::string name = absl::StrCat("c", i);
    EXPECT_EQ(Call(GetPin, absl::StrCat("consumer: '", name, "' service: 'addressbook'"))
                  ->resolved_version(),
              expected(name));
    const auto again = Pin(name, "addressbook", "@stable");
    EXPECT_FALSE(again->changed());
    EXPECT_EQ(again->pin().resolved_version(), expected(name));
    const auto moved = Pin(name, "addressbook", "2.0.0");
    EXPECT_EQ(moved->old_version(), expected(name));
    ASSERT_TRUE(Pin(name, "addressbook", "@stable").ok());
    ++seen;
  }
  EXPECT_EQ(seen, kConsumers);
  EXPECT_EQ(RampTo("2.0.0", 60)->moved(0).consumers(), Among(60) - Among(30));
  const auto back = RampTo("2.0.0", 30);
  EXPECT_EQ(back->moved(0).old_version(), "2.0.0");
  EXPECT_EQ(back->moved(0).consumers(), Among(60) - Among(30));
  ASSERT_TRUE(Set("2.0.0").ok());
  EXPECT_EQ(NewestAudit().moved(0).consumers(), kConsumers - Among(30));
}

TEST_F(ChannelsTest, APlanKnowsWhoIsThereAlready) {
  PinConsumers();
  ASSERT_TRUE(RampTo("2.0.0", 30).ok());
  const auto completed = Call(
      Plan, "set_channel { channel { service: 'addressbook' name: 'stable' version: '2.0.0' } }");
  ASSERT_TRUE(completed.ok()) << completed.status();
  // And callers without a pin, by the service's policy.
  EXPECT_EQ(completed->moves_total(), kConsumers - Among(30) + 1);
  const auto retired = Call(
      Plan,
      "retire_version { service: 'addressbook' name: '2.0.0' force: true reason: 'it leaks' }");
  ASSERT_TRUE(retired.ok()) << retired.status();
  EXPECT_EQ(retired->moves_total(), Among(30)) << "only those in the ramp lose their version";
}

TEST_F(ChannelsTest, ARampKeepsItsVersionFromRetirementAndThenItsWindowDoes) {
  ASSERT_TRUE(RampTo("2.0.0", 10).ok());
  EXPECT_THAT(ChannelBlockers("2.0.0"),
              ElementsAre("CHANNEL addressbook @stable: pinion channel ramp addressbook stable "
                          "--stop"));
  EXPECT_THAT(ChannelBlockers("1.0.0"),
              ElementsAre("CHANNEL addressbook @stable: pinion channel set addressbook stable "
                          "VERSION"));
  ASSERT_TRUE(Ramp("").ok());
  EXPECT_THAT(ChannelBlockers("2.0.0"),
              ElementsAre("ROLLBACK_WINDOW channel addressbook @stable: "));
  clock_.Advance(model::kDefaultRollbackWindow);
  EXPECT_THAT(ChannelBlockers("2.0.0"), IsEmpty());
  // Completed: now the channel's own version was left.
  ASSERT_TRUE(RampTo("2.0.0", 10).ok());
  clock_.Advance(absl::Hours(1));
  ASSERT_TRUE(Set("2.0.0").ok());
  EXPECT_THAT(ChannelBlockers("1.0.0"),
              ElementsAre("ROLLBACK_WINDOW channel addressbook @stable: "));
  clock_.Advance(model::kDefaultRollbackWindow - absl::Seconds(1));
  EXPECT_EQ(ChannelBlockers("1.0.0").size(), 1u);
  clock_.Advance(absl::Seconds(1));
  EXPECT_THAT(ChannelBlockers("1.0.0"), IsEmpty());
}

TEST_F(ChannelsTest, EachVersionThatAChannelLeftHasItsWindow) {
  ASSERT_TRUE(Publish("addressbook", "3.0.0").ok());
  ASSERT_TRUE(Register("addressbook", "3.0.0", 9003).ok());
  ASSERT_TRUE(Set("2.0.0").ok());
  clock_.Advance(absl::Hours(1));
  ASSERT_TRUE(Set("3.0.0").ok());
  EXPECT_THAT(ChannelBlockers("1.0.0"),
              ElementsAre("ROLLBACK_WINDOW channel addressbook @stable: "));
  EXPECT_THAT(ChannelBlockers("2.0.0"),
              ElementsAre("ROLLBACK_WINDOW channel addressbook @stable: "));
  clock_.Advance(absl::Hours(71));
  EXPECT_THAT(ChannelBlockers("1.0.0"), IsEmpty());
  EXPECT_EQ(ChannelBlockers("2.0.0").size(), 1u);
}

TEST_F(ChannelsTest, DeprecationNamesTheRampsThatLeadToAVersion) {
  ASSERT_TRUE(RampTo("2.0.0", 10).ok());
  const auto second = Call(DeprecateVersion, "service: 'addressbook' name: '2.0.0'");
  EXPECT_THAT(second->ramped_channels(), ElementsAre("stable"));
  EXPECT_THAT(second->channels(), IsEmpty());
  const auto first = Call(DeprecateVersion, "service: 'addressbook' name: '1.0.0'");
  EXPECT_THAT(first->channels(), ElementsAre("stable"));
  EXPECT_THAT(first->ramped_channels(), IsEmpty());
}

}  // namespace
}  // namespace pinion::service
