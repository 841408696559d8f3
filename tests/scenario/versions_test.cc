// A gateway between simulated callers and instances on virtual time: one named case for each thing
// that a call can meet. The simulation of tests/sim draws such cases by the thousand; these are the
// ones that must never break again.
#include "tests/scenario/scenario.h"

namespace pinion::proxy {
namespace {

TEST_F(ScenarioTest, ACallGoesToThePinnedVersionAndIsToldWhich) {
  const CallRecord& call = Start(Plan()).record;
  Run();
  EXPECT_EQ(call.grpc_status, 0);
  EXPECT_EQ(VersionOf(call), "1.0.0");
  EXPECT_EQ(call.body, testing::GrpcMessages(1, {100}));
}

TEST_F(ScenarioTest, AMovedPinWithoutDrainLeavesRunningCallsAlone) {
  const CallRecord& call = Start(Plan(ResponsePlan::Kind::kNeverAnswer)).record;
  Run(absl::Seconds(1));
  Put({"pin { consumer: 'shipping' service: 'greeter' expression: '^2' }"});
  Run(absl::Hours(1));
  EXPECT_EQ(call.ends, 0);
}

TEST_F(ScenarioTest, AMovedPinWithDrainEndsItsCallsCivillyAfterThatTime) {
  const CallRecord& old = Start(Plan(ResponsePlan::Kind::kNeverAnswer)).record;
  Run(absl::Seconds(1));
  Put({"pin { consumer: 'shipping' service: 'greeter' expression: '^2' drain { seconds: 600 } }"});
  const CallRecord& fresh = Start(Plan()).record;
  Run(absl::Seconds(599));
  EXPECT_EQ(old.ends, 0);
  EXPECT_EQ(VersionOf(fresh), "2.0.0");
  // What another table says later does not prolong it.
  Put({"consumer { name: 'other' }"});
  Run(absl::Seconds(5));
  EXPECT_EQ(old.end, CallRecord::End::kStatus);
  EXPECT_EQ(old.grpc_status, 14);
  EXPECT_EQ(fresh.grpc_status, 0);
}

TEST_F(ScenarioTest, APinThatComesBackLetsItsCallsGoOn) {
  const CallRecord& call = Start(Plan(ResponsePlan::Kind::kNeverAnswer)).record;
  Run(absl::Seconds(1));
  const std::string away =
      "pin { consumer: 'shipping' service: 'greeter' expression: '^2' drain { seconds: 600 } }";
  Put({away});
  Run(absl::Seconds(60));
  Put({"pin { consumer: 'shipping' service: 'greeter' expression: '^1' }"});
  RunFor(absl::Hours(1));
  const CallRecord& back = Start(Plan()).record;
  RunFor(absl::Seconds(1));
  EXPECT_EQ(VersionOf(back), "1.0.0");
  EXPECT_EQ(call.ends, 0);
  Put({away});
  Run(absl::Seconds(590));
  EXPECT_EQ(call.ends, 0) << "the time is a new one";
  Run(absl::Seconds(20));
  EXPECT_EQ(call.grpc_status, 14);
}

TEST_F(ScenarioTest, TheDeadlineComesBeforeTheDrain) {
  CallPlan plan = Plan(ResponsePlan::Kind::kNeverAnswer);
  plan.timeout = "5S";
  const CallRecord& call = Start(plan).record;
  Run(absl::Seconds(1));
  Put({"pin { consumer: 'shipping' service: 'greeter' expression: '^2' drain { seconds: 600 } }"});
  Run(absl::Seconds(6));
  EXPECT_EQ(call.grpc_status, 4);
}

TEST_F(ScenarioTest, ACancelledCallByTheInstanceStaysACancel) {
  CallPlan plan = Plan(ResponsePlan::Kind::kReset);
  plan.response.reset_before_headers = true;
  const CallRecord& call = Start(plan).record;
  Run();
  EXPECT_EQ(call.end, CallRecord::End::kReset);
  EXPECT_EQ(call.reset_code, http2::ErrorCode::kCancel);
}

TEST_F(ScenarioTest, ARefusedCallIsTriedOnceMore) {
  CallBook::Entry& entry = Start(Plan(ResponsePlan::Kind::kRefuse));
  Run();
  EXPECT_EQ(entry.record.grpc_status, 0);
  EXPECT_EQ(entry.attempts.size(), 2u);
}

TEST_F(ScenarioTest, AnUnknownVersionIsRefusedWithDetails) {
  CallPlan plan = Plan();
  plan.metadata.push_back({"api-version", "9.9.9"});
  const CallRecord& call = Start(plan).record;
  Run();
  EXPECT_TRUE(call.trailers_only);
  EXPECT_EQ(call.grpc_status, 12);
  EXPECT_NE(testing::FindField(call.headers, "grpc-status-details-bin"), nullptr);
}

TEST_F(ScenarioTest, ADeprecatedVersionSaysSoOnceInItsAnswers) {
  Put(
      {"version { service: 'greeter' name: '1.0.0' state: DEPRECATED deprecation { "
       "time { seconds: 1764000000 } sunset_time { seconds: 1767225599 } successor: '2.0.0' "
       "link: 'https://acme.example/v2' } }"});
  CallPlan plan = Plan();
  plan.response.headers = {{"deprecation", "@1"},
                           {"sunset", "Thu, 01 Jan 1970 00:00:01 GMT"},
                           {"link", "<https://instance.example>; rel=\"help\""}};
  const CallRecord& call = Start(plan).record;
  Run();
  EXPECT_EQ(call.grpc_status, 0);
  std::vector<std::string> said;
  for (const auto& [name, value] : call.headers) {
    if (name == "deprecation" || name == "sunset" || name == "link") {
      said.push_back(absl::StrCat(name, ": ", value));
    }
  }
  EXPECT_EQ(said, (std::vector<std::string>{
                      "link: <https://instance.example>; rel=\"help\"",
                      "deprecation: @1764000000",
                      "sunset: Wed, 31 Dec 2025 23:59:59 GMT",
                      "link: <https://acme.example/v2>; rel=\"successor-version\"",
                  }));
}

TEST_F(ScenarioTest, WhatAnInstanceSaysOfItselfGoesOnUnlessItsVersionIsDeprecated) {
  CallPlan plan = Plan();
  plan.response.headers = {{"deprecation", "@1"}};
  const CallRecord& call = Start(plan).record;
  Run();
  ASSERT_NE(testing::FindField(call.headers, "deprecation"), nullptr);
  EXPECT_EQ(*testing::FindField(call.headers, "deprecation"), "@1");
}

TEST_F(ScenarioTest, EachRoutedCallIsCountedOnceHoweverItEnds) {
  Options options;
  options.count_usage = true;
  UseOptions(options);
  ConnectClient();
  Start(Plan());
  Start(Plan(ResponsePlan::Kind::kReset));
  Start(Plan(ResponsePlan::Kind::kRefuse));
  CallPlan late = Plan(ResponsePlan::Kind::kNeverAnswer);
  late.timeout = "5S";
  Start(late);
  CallPlan refused = Plan();
  refused.metadata.push_back({"api-version", "9.9.9"});
  Start(refused);
  RunFor(absl::Seconds(1));
  Put({"version { service: 'greeter' name: '1.0.0' state: DEPRECATED }"});
  const route::Usage begun = proxy_->TakeUsage();
  ASSERT_EQ(begun.rows.size(), 1u);
  EXPECT_EQ(begun.rows[0].consumer, "shipping");
  EXPECT_EQ(begun.rows[0].version, "1.0.0");
  EXPECT_EQ(begun.rows[0].calls, 4u) << "a refusal goes to no version";
  ASSERT_EQ(begun.open.size(), 1u);
  EXPECT_EQ(begun.open[0].calls, 1u);
  Run();
  const route::Usage ended = proxy_->TakeUsage();
  EXPECT_TRUE(ended.rows.empty());
  EXPECT_TRUE(ended.open.empty());
}

TEST_F(ScenarioTest, DrainingLetsCallsEndAndThenCloses) {
  CallPlan plan = Plan();
  plan.response.delay = absl::Seconds(5);
  plan.response.kind = ResponsePlan::Kind::kNormal;
  const CallRecord& call = Start(plan).record;
  Run(absl::Seconds(1));
  proxy_->Drain();
  world_.RunFor(absl::Seconds(3));
  EXPECT_FALSE(proxy_->idle());
  world_.RunFor(absl::Seconds(10));
  EXPECT_EQ(call.grpc_status, 0);
  EXPECT_TRUE(proxy_->idle());
}

}  // namespace
}  // namespace pinion::proxy
