// What gateways report, and what is made of it: usage, its bounds and its end; who is heard; and
// what both mean for the retirement of a version.
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/proto_duration.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "registry/model/keys.h"
#include "registry/model/retirement.h"
#include "registry/model/usage.h"
#include "registry/service/operations.h"
#include "tests/testing/registry_fixture.h"

namespace pinion::service {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class ReportsTest : public RegistryFixture {
 protected:
  void SetUp() override {
    SetUpAddressBook();
    ASSERT_TRUE(Publish("addressbook", "2.0.0", DescriptorSetOf({"acme.AddressBook"})).ok());
    ASSERT_TRUE(Register("addressbook", "2.0.0", 9002).ok());
  }

  // The next report of gateway g1, or of another start of any, at the newest revision.
  v1::ReportGatewayRequest Report(const std::string& text = "") {
    auto report = FromText<v1::ReportGatewayRequest>(text);
    if (report.gateway_id().empty()) report.set_gateway_id("g1");
    if (report.start_id().empty()) report.set_start_id("a1");
    if (report.sequence() == 0) report.set_sequence(++sequence_);
    if (report.revision() == 0) report.set_revision(store_.revision());
    if (!report.has_interval()) report.mutable_interval()->set_seconds(30);
    return report;
  }
  bool Send(const v1::ReportGatewayRequest& report) {
    const auto response = ReportGateway(*registry_, "ipv4:10.0.0.7:4711", report);
    EXPECT_TRUE(response.ok()) << response.status();
    return response.ok() && response->taken();
  }
  static std::string Calls(const std::string& consumer, int calls,
                           const std::string& version = "1.0.0") {
    return absl::StrCat("usage { service: 'addressbook' version: '", version, "' consumer: '",
                        consumer, "' method: '/acme.AddressBook/Get' calls: ", calls, " } ");
  }
  static std::string Open(const std::string& version, int calls) {
    return absl::StrCat("open_calls { service: 'addressbook' version: '", version,
                        "' calls: ", calls, " } ");
  }
  // "1.0.0 billing 3" of each total.
  std::vector<std::string> Usage(const std::string& request = "") {
    std::vector<std::string> texts;
    const auto usage = Call(ListUsage, request);
    EXPECT_TRUE(usage.ok()) << usage.status();
    for (const v1::UsageTotal& total : usage->totals()) {
      texts.push_back(absl::StrCat(total.version(), " ", total.consumer(), " ", total.calls()));
    }
    return texts;
  }
  int64_t Count(const std::string& prefix) {
    return store_.Range({.range = store::KeyRange::Prefix(prefix), .count_only = true})->count;
  }
  void Expire() { ASSERT_TRUE(ExpireLeases(*registry_).ok()); }

  // 1.0.0 deprecated, and nothing on it but what gateways say.
  void Abandon() {
    ASSERT_TRUE(
        Call(DeprecateVersion, "service: 'addressbook' name: '1.0.0' successor: '2.0.0'").ok());
    ASSERT_TRUE(
        Call(SetChannel, "channel { service: 'addressbook' name: 'stable' version: '2.0.0' }")
            .ok());
    ASSERT_TRUE(DeregisterAll(*registry_, ann_, "addressbook", "1.0.0", "").ok());
    clock_.Advance(model::kDefaultRollbackWindow);
  }
  // "KIND subject message: command" of each.
  std::vector<std::string> Blockers() {
    std::vector<std::string> texts;
    const auto found = Call(ListRetirementBlockers, "service: 'addressbook' name: '1.0.0'");
    for (const auto& blocker : found->blockers()) {
      texts.push_back(absl::StrCat(v1::RetirementBlocker::Kind_Name(blocker.kind()), " ",
                                   blocker.subject(), " ", blocker.message(), ": ",
                                   blocker.command()));
    }
    return texts;
  }
  std::string Retire() {
    return Outcome(Call(RetireVersion, "service: 'addressbook' name: '1.0.0'").status());
  }

  int64_t sequence_ = 0;
};

// ---- usage ----

TEST_F(ReportsTest, CallsAddUpOverReportsAndGateways) {
  EXPECT_TRUE(Send(Report(Calls("billing", 2) + Calls("", 1) + Calls("shipping", 4, "2.0.0"))));
  EXPECT_TRUE(Send(Report(Calls("billing", 3))));
  EXPECT_TRUE(Send(Report("gateway_id: 'g2' start_id: 'b1' sequence: 1 " + Calls("billing", 5))));
  EXPECT_THAT(Usage(), ElementsAre("1.0.0  1", "1.0.0 billing 10", "2.0.0 shipping 4"));
  EXPECT_THAT(Usage("service: 'addressbook' version: '2.0.0'"), ElementsAre("2.0.0 shipping 4"));
  EXPECT_THAT(Usage("consumer: 'billing'"), ElementsAre("1.0.0 billing 10"));
  EXPECT_THAT(Usage("consumer: ''"), ElementsAre("1.0.0  1"));
}

TEST_F(ReportsTest, NobodyIsToldAndNothingIsAudited) {
  const auto watcher =
      store_.Watch(store::KeyRange::Prefix(model::kRoutingPrefix), store_.revision());
  const std::string newest = NewestAudit().id();
  EXPECT_TRUE(Send(Report(Calls("billing", 2))));
  EXPECT_EQ(NewestAudit().id(), newest);
  EXPECT_THAT(watcher->Next(absl::ZeroDuration())->events, IsEmpty());
}

TEST_F(ReportsTest, AReportThatIsSentAgainCountsOnce) {
  const v1::ReportGatewayRequest report = Report(Calls("billing", 2));
  EXPECT_TRUE(Send(report));
  EXPECT_FALSE(Send(report));
  EXPECT_TRUE(Send(Report(Calls("billing", 1))));
  EXPECT_FALSE(Send(report)) << "and not when it comes late";
  EXPECT_THAT(Usage(), ElementsAre("1.0.0 billing 3"));
  // Also after a breakdown in which the gateway's lease ran out.
  const v1::ReportGatewayRequest lost = Report(Calls("billing", 1));
  EXPECT_TRUE(Send(lost));
  clock_.Advance(absl::Hours(2));
  Expire();
  ASSERT_TRUE(ForgetOldGateways(*registry_).ok());
  EXPECT_FALSE(Send(lost));
  EXPECT_THAT(Usage(), ElementsAre("1.0.0 billing 4"));
  EXPECT_TRUE(Call(ListGateways, "")->gateways(0).live()) << "it is heard again";
}

TEST_F(ReportsTest, AReportThatWasTakenInPartGoesOnWhereItStopped) {
  // More versions than one transaction takes.
  std::string text;
  for (int i = 0; i < 80; ++i) {
    const std::string name = absl::StrCat("3.0.", i);
    ASSERT_TRUE(Publish("addressbook", name).ok());
    text += Calls("billing", 1, name);
  }
  const v1::ReportGatewayRequest report = Report(text);
  const store::Revision before = store_.revision();
  EXPECT_TRUE(Send(report));
  EXPECT_GT(store_.revision(), before + 1);
  EXPECT_EQ(Usage().size(), 80u);
  // As it is when the registry dies between two of the transactions.
  const store::KeyValue kv =
      store_.Range({.range = store::KeyRange::Single(model::GatewayKey("a1"))})->kvs[0];
  v1::GatewayRecord record;
  ASSERT_TRUE(record.ParseFromString(kv.value));
  EXPECT_EQ(record.rows_taken(), 80);
  record.set_rows_taken(79);
  ASSERT_TRUE(store_.Commit({.then = {store::Put{kv.key, record.SerializeAsString()}}}).ok());
  EXPECT_TRUE(Send(report));
  std::vector<std::string> twice;
  for (const std::string& total : Usage()) {
    if (total.back() == '2') twice.push_back(total);
  }
  EXPECT_THAT(twice, ElementsAre("3.0.79 billing 2"));
}

TEST_F(ReportsTest, CallsAreOfTheHourInWhichTheLastOfThemBegan) {
  EXPECT_TRUE(
      Send(Report("usage { service: 'addressbook' version: '1.0.0' calls: 1 "
                  "since_last { seconds: 18000 } }" +
                  Calls("billing", 1))));
  EXPECT_EQ(Count(model::kUsage), 2);
  EXPECT_THAT(Usage("within { seconds: 3600 }"), ElementsAre("1.0.0 billing 1"));
  EXPECT_EQ(Usage("within { seconds: 18000 }").size(), 2u);
  const auto usage = Call(ListUsage, "consumer: ''");
  EXPECT_EQ(usage->totals(0).last_seen().seconds(), absl::ToUnixSeconds(clock_.Wall()) - 18000);
}

TEST_F(ReportsTest, WhatThereIsNotIsNotCounted) {
  EXPECT_TRUE(Send(Report(Calls("billing", 1, "9.9.9") + Calls("billing", 1) +
                          "usage { service: 'nobody' version: '1.0.0' calls: 1 }")));
  EXPECT_THAT(Usage(), ElementsAre("1.0.0 billing 1"));
  EXPECT_EQ(Outcome(Call(ListUsage, "service: 'adressbook'").status()),
            "NOT_FOUND SERVICE_UNKNOWN");
  EXPECT_EQ(Outcome(Call(ListUsage, "version: '1.0.0'").status()),
            "INVALID_ARGUMENT ARGUMENT_INVALID");
  EXPECT_EQ(Outcome(Call(ListUsage, "consumer: 'biling'").status()), "NOT_FOUND CONSUMER_UNKNOWN");
}

TEST_F(ReportsTest, AnHourKeepsABoundedNumberOfRows) {
  for (int part = 0; part < 3; ++part) {
    std::string text;
    for (int i = 0; i < model::kMaxReportRows; ++i) {
      text += Calls(absl::StrCat("c-", part, "-", i), 1);
    }
    EXPECT_TRUE(Send(Report(text)));
  }
  const auto usage = Call(ListUsage, "");
  ASSERT_EQ(usage->totals_size(), model::kMaxUsageRows + 1);
  EXPECT_TRUE(usage->totals(0).others());
  EXPECT_EQ(usage->totals(0).calls(), 2 * model::kMaxReportRows);
}

TEST_F(ReportsTest, UsageEndsAfterTwoWeeks) {
  EXPECT_TRUE(Send(Report(Calls("billing", 1))));
  clock_.Advance(model::kUsageRetention);
  EXPECT_TRUE(Send(Report(Calls("billing", 1))));
  ASSERT_TRUE(ForgetOldUsage(*registry_).ok());
  EXPECT_EQ(Count(model::kUsage), 2) << "a part of that hour is wanted";
  clock_.Advance(absl::Hours(1));
  ASSERT_TRUE(ForgetOldUsage(*registry_).ok());
  EXPECT_EQ(Count(model::kUsage), 1);
  EXPECT_THAT(Usage(), ElementsAre("1.0.0 billing 1"));
}

// ---- gateways ----

TEST_F(ReportsTest, AGatewayIsHeardAsLongAsItReports) {
  EXPECT_TRUE(Send(Report(Open("1.0.0", 3) + "revision: 7")));
  const auto gateways = Call(ListGateways, "")->gateways();
  ASSERT_EQ(gateways.size(), 1);
  EXPECT_EQ(gateways[0].gateway_id(), "g1");
  EXPECT_EQ(gateways[0].peer(), "ipv4:10.0.0.7:4711");
  EXPECT_EQ(gateways[0].revision(), 7);
  EXPECT_TRUE(gateways[0].live());
  EXPECT_EQ(gateways[0].open_calls(0).calls(), 3);
  clock_.Advance(absl::Seconds(60));
  EXPECT_TRUE(Send(Report()));
  clock_.Advance(absl::Seconds(60));
  Expire();
  EXPECT_TRUE(Call(ListGateways, "")->gateways(0).live());
  clock_.Advance(absl::Seconds(31));
  Expire();
  EXPECT_FALSE(Call(ListGateways, "")->gateways(0).live());
  clock_.Advance(absl::Hours(25));
  ASSERT_TRUE(ForgetOldGateways(*registry_).ok());
  EXPECT_THAT(Call(ListGateways, "")->gateways(), IsEmpty());
  EXPECT_EQ(Count("records/gateway"), 0);
}

TEST_F(ReportsTest, WhoHasNothingNewToSayMakesNoRevisions) {
  EXPECT_TRUE(Send(Report("revision: 7")));
  const store::Revision revision = store_.revision();
  for (int i = 0; i < 9; ++i) {
    clock_.Advance(absl::Seconds(30));
    EXPECT_TRUE(Send(Report("revision: 7")));
    Expire();
  }
  EXPECT_EQ(store_.revision(), revision);
  EXPECT_TRUE(Call(ListGateways, "")->gateways(0).live());
  clock_.Advance(absl::Seconds(30));
  EXPECT_TRUE(Send(Report("revision: 7")));
  EXPECT_EQ(store_.revision(), revision + 1) << "but for one in five minutes";
}

TEST_F(ReportsTest, AGatewayThatIsGoneIsForgottenOnRecord) {
  EXPECT_TRUE(Send(Report()));
  EXPECT_TRUE(Send(Report("start_id: 'a2' sequence: 1")));
  EXPECT_TRUE(Send(Report("gateway_id: 'g2' start_id: 'b1' sequence: 1")));
  const auto forgotten = Call(ForgetGateway, "gateway_id: 'g1' reason: 'its machine burnt'");
  ASSERT_TRUE(forgotten.ok()) << forgotten.status();
  EXPECT_EQ(forgotten->forgotten_size(), 2) << "all of its starts";
  EXPECT_EQ(NewestAudit().command(), "gateway.forget");
  EXPECT_EQ(NewestAudit().object(), "g1");
  EXPECT_EQ(NewestAudit().reason(), "its machine burnt");
  EXPECT_EQ(Call(ListGateways, "")->gateways_size(), 1);
  const absl::Status again = Call(ForgetGateway, "gateway_id: 'g1'").status();
  EXPECT_EQ(Outcome(again), "NOT_FOUND GATEWAY_UNKNOWN");
  EXPECT_THAT(std::string(again.message()), HasSubstr("g2"));
  EXPECT_TRUE(Send(Report()));
  EXPECT_EQ(Call(ListGateways, "")->gateways_size(), 2) << "it was not gone";
}

// ---- retirement ----

TEST_F(ReportsTest, AVersionIsDrainedOnlyWhenEveryGatewayHasSaidSo) {
  EXPECT_TRUE(Send(Report()));
  EXPECT_TRUE(Send(Report("gateway_id: 'g2' start_id: 'b1' sequence: 1")));
  Abandon();
  Expire();
  EXPECT_THAT(Blockers(), IsEmpty()) << "three days later nobody is heard";
  const std::string g2 = "gateway_id: 'g2' start_id: 'b1' ";
  EXPECT_TRUE(Send(Report("revision: 3")));
  EXPECT_TRUE(Send(Report(g2 + "sequence: 2 revision: 3")));
  const std::string unknown =
      " has not said yet whether calls of it are open; it reports every 30s, and if it is gone for "
      "good: pinion gateway forget ";
  EXPECT_THAT(Blockers(), ElementsAre("GATEWAY gateway g1" + unknown + "g1",
                                      "GATEWAY gateway g2" + unknown + "g2"));
  EXPECT_EQ(Retire(), "FAILED_PRECONDITION VERSION_IN_USE") << "unknown is not drained";
  EXPECT_TRUE(Send(Report(Open("1.0.0", 3))));
  EXPECT_THAT(Blockers(),
              ElementsAre("STREAMS gateway g1 has 3 calls of it open; they end by themselves, or "
                          "with the pins that chose it: pinion pin set CONSUMER addressbook 2.0.0 "
                          "--drain 10m",
                          "GATEWAY gateway g2" + unknown + "g2"));
  EXPECT_EQ(Retire(), "FAILED_PRECONDITION VERSION_IN_USE");
  EXPECT_TRUE(Send(Report(Open("2.0.0", 9))));
  EXPECT_EQ(Retire(), "FAILED_PRECONDITION VERSION_IN_USE");
  ASSERT_TRUE(Call(ForgetGateway, "gateway_id: 'g2'").ok());
  EXPECT_THAT(Blockers(), IsEmpty());
  EXPECT_EQ(Retire(), "OK");
}

TEST_F(ReportsTest, WhoNamesOnlySomeOfItsVersionsHasNotSaidItOfTheRest) {
  Abandon();
  EXPECT_TRUE(Send(Report("more_open_calls: true")));
  EXPECT_THAT(Blockers(), ElementsAre(HasSubstr("GATEWAY gateway g1")));
  EXPECT_TRUE(Send(Report("more_open_calls: true " + Open("1.0.0", 1))));
  EXPECT_THAT(Blockers(), ElementsAre(HasSubstr("STREAMS gateway g1 has 1 call of it")));
}

TEST_F(ReportsTest, ReactivatingForgetsThatAVersionWasDrained) {
  Abandon();
  EXPECT_TRUE(Send(Report()));
  EXPECT_THAT(Blockers(), IsEmpty());
  const std::string version = "service: 'addressbook' name: '1.0.0'";
  ASSERT_TRUE(Call(ReactivateVersion, version).ok());
  EXPECT_THAT(Blockers(), ElementsAre(HasSubstr("STATE addressbook 1.0.0")));
  ASSERT_TRUE(Call(DeprecateVersion, version).ok());
  EXPECT_THAT(Blockers(), ElementsAre(HasSubstr("GATEWAY gateway g1")));
  EXPECT_EQ(Retire(), "FAILED_PRECONDITION VERSION_IN_USE");
  EXPECT_TRUE(Send(Report()));
  EXPECT_EQ(Retire(), "OK");
}

TEST_F(ReportsTest, WhoCalledAVersionOfLateKeepsIt) {
  Abandon();
  EXPECT_TRUE(
      Send(Report(Calls("billing", 14) + Calls("", 1) +
                  "usage { service: 'addressbook' version: '1.0.0' others: true calls: 2 } "
                  "usage { service: 'addressbook' version: '1.0.0' consumer: 'billing' "
                  "method: '/acme.AddressBook/Put' calls: 1 since_last { seconds: 60 } }")));
  clock_.Advance(absl::Hours(2));
  EXPECT_TRUE(Send(Report()));
  EXPECT_THAT(
      Blockers(),
      ElementsAre("USAGE unregistered callers called it 1 time in the last 72h, last 2 h ago, "
                  "/acme.AddressBook/Get: ",
                  "USAGE billing called it 15 times in the last 72h, last 2 h ago, "
                  "/acme.AddressBook/Get and 1 other method: ",
                  "USAGE other consumers called it 2 times in the last 72h, last 2 h ago: "));
  const auto found = Call(ListRetirementBlockers, "service: 'addressbook' name: '1.0.0'");
  EXPECT_EQ(found->blockers(0).until().seconds(),
            absl::ToUnixSeconds(clock_.Wall() + absl::Hours(70)));
  const absl::Status refused = Call(RetireVersion, "service: 'addressbook' name: '1.0.0'").status();
  EXPECT_THAT(std::string(refused.message()), HasSubstr("yet: 3 callers of late; "));
  clock_.Advance(absl::Hours(70));
  EXPECT_EQ(Retire(), "OK");
}

TEST_F(ReportsTest, ForcePassesOverWhatGatewaysSay) {
  Abandon();
  EXPECT_TRUE(Send(Report(Open("1.0.0", 3) + Calls("billing", 14))));
  EXPECT_TRUE(Send(Report("gateway_id: 'g2' start_id: 'b1' sequence: 1 revision: 3")));
  const auto made =
      Call(RetireVersion, "service: 'addressbook' name: '1.0.0' force: true reason: 'it leaks'");
  ASSERT_TRUE(made.ok()) << made.status();
  EXPECT_EQ(NewestAudit().overridden(),
            "1 gateway with open calls, 1 gateway not heard of it, 1 caller of late");
}

TEST_F(ReportsTest, TheWindowIsTheOperatorsToSet) {
  Abandon();
  EXPECT_TRUE(Send(Report(Calls("billing", 14))));
  clock_.Advance(absl::Hours(2));
  EXPECT_TRUE(Send(Report()));
  for (const auto& [window, blocks] : std::vector<std::pair<absl::Duration, bool>>{
           {absl::Hours(3), true}, {absl::Hours(1), false}, {absl::ZeroDuration(), false}}) {
    registry_ = *Registry::Open(store_, clock_, {.usage_window = window});
    EXPECT_EQ(Blockers().size(), blocks ? 1u : 0u) << window;
  }
}

}  // namespace
}  // namespace pinion::service
