// Calls that are tried again: what no server has looked at (gRFC A6, "transparent retries"), and
// what the service's policy says.
#include "gateway/upstream_limits.h"
#include "tests/scenario/scenario.h"

namespace pinion::proxy {
namespace {

class RetryTest : public ScenarioTest {
 protected:
  // Two more instances of 1.0.0.
  void AddInstances() {
    three_ = AddServer("1.0.0", kThree);
    four_ = AddServer("1.0.0", kFour);
    Put({Instance("1.0.0", 3), Instance("1.0.0", 4)});
  }

  static CallPlan Failing(int attempts, int status = 14) {
    CallPlan plan = Plan(ResponsePlan::Kind::kNormal);
    plan.response.failing_attempts = attempts;
    plan.response.failing_status = status;
    plan.response.body.bytes = testing::GrpcMessages(2, {50});
    return plan;
  }

  static const net::Endpoint kFour;
  std::unique_ptr<testing::SimServer> three_, four_;
};

const net::Endpoint RetryTest::kFour{.host = "10.0.0.2", .port = 4};

TEST_F(RetryTest, NeverLeftTheGatewayTriesEachOtherInstanceOnce) {
  AddInstances();
  for (const net::Endpoint& gone : {kOne, kThree}) network_.Unlisten(gone);
  for (int i = 0; i < 10; ++i) {
    const CallRecord& call = Start(Plan()).record;
    Run();
    EXPECT_EQ(call.grpc_status, 0) << call.grpc_message;
  }
  network_.Unlisten(kFour);
  network_.CutAll(kFour, testing::CutKind::kReset);
  RunFor(absl::Minutes(2));
  size_t before = 0;
  for (const net::Endpoint& each : {kOne, kThree, kFour}) before += network_.connects(each);
  const CallRecord& call = Start(Plan()).record;
  Run();
  EXPECT_EQ(call.grpc_status, 14);
  size_t after = 0;
  for (const net::Endpoint& each : {kOne, kThree, kFour}) after += network_.connects(each);
  EXPECT_EQ(after - before, 3u);
}

TEST_F(RetryTest, NeverLeftTheGatewayEndsWithinTheDeadline) {
  network_.set_policy([](const net::Endpoint& at) {
    testing::LinkPolicy policy;
    if (at == kOne) policy.connect = testing::LinkPolicy::Connect::kNeverAnswer;
    return policy;
  });
  CallPlan plan = Plan();
  plan.timeout = "2S";
  const CallRecord& call = Start(plan).record;
  Run();
  EXPECT_EQ(call.grpc_status, 4);
  EXPECT_LT(call.ended - call.started, absl::Seconds(3));
}

TEST_F(RetryTest, NeverLeftTheGatewayEndsWithinABoundedTime) {
  AddInstances();
  network_.set_policy([](const net::Endpoint& at) {
    testing::LinkPolicy policy;
    if (!(at == kGateway)) policy.connect = testing::LinkPolicy::Connect::kNeverAnswer;
    return policy;
  });
  const CallRecord& call = Start(Plan()).record;
  Run(absl::Hours(1));
  EXPECT_EQ(call.grpc_status, 14);
  EXPECT_LT(call.ended - call.started, limits::kPendingMax + absl::Seconds(1));
}

TEST_F(RetryTest, RefusedUnseenGoesElsewhereOnce) {
  AddInstances();
  const CallBook::Entry& call = Start(Plan(ResponsePlan::Kind::kRefuse));
  Run();
  EXPECT_EQ(call.record.grpc_status, 0);
  ASSERT_EQ(call.attempts.size(), 2u);
  EXPECT_NE(call.attempts[0]->uid, call.attempts[1]->uid);
}

TEST_F(RetryTest, RefusedTwiceIsUnavailable) {
  int requests = 0;
  on_raw_server_ = [&](RawPeer& server) {
    server.set_on_frame([&](const RawPeer::Frame& frame) {
      if (frame.type != h2::kHeaders) return;
      ++requests;
      server.Send(h2::RstStream(frame.stream_id, 7));
    });
  };
  ListenRaw(kOne);
  const CallRecord& call = Start(Plan()).record;
  Run();
  EXPECT_EQ(call.grpc_status, 14);
  EXPECT_EQ(requests, 2);
}

TEST_F(RetryTest, AboveTheLastIdOfGoAwayGoesElsewhere) {
  AddInstances();
  int requests = 0;
  on_raw_server_ = [&](RawPeer& server) {
    server.set_on_frame([&](const RawPeer::Frame& frame) {
      if (frame.type != h2::kHeaders) return;
      ++requests;
      server.Send(h2::GoAway(frame.stream_id - 1, 0));
    });
  };
  for (const net::Endpoint& each : {kOne, kThree, kFour}) ListenRaw(each);
  RunFor(absl::Seconds(1));
  const CallRecord& call = Start(Plan()).record;
  Run();
  EXPECT_EQ(call.grpc_status, 14);
  EXPECT_EQ(requests, 2);
}

TEST_F(RetryTest, BelowTheLastIdOfGoAwayGoesOn) {
  CallPlan plan = Plan(ResponsePlan::Kind::kNormal);
  plan.response.delay = absl::Seconds(3);
  const CallBook::Entry& call = Start(plan);
  RunFor(absl::Seconds(1));
  one_->GoAwayAtOnce();
  const CallRecord& next = Start(Plan()).record;
  Run();
  EXPECT_EQ(call.record.grpc_status, 0);
  EXPECT_EQ(call.attempts.size(), 1u);
  EXPECT_EQ(next.grpc_status, 0);
  EXPECT_EQ(network_.connects(kOne), 2u);
}

// ---- configured ----

TEST_F(RetryTest, WithoutAPolicyAFailureIsTheCallsOwn) {
  const CallBook::Entry& call = Start(Failing(1));
  Run();
  EXPECT_EQ(call.record.grpc_status, 14);
  EXPECT_EQ(call.attempts.size(), 1u);
}

TEST_F(RetryTest, APolicyRetriesWithBackoff) {
  Put({WithRetries("max_attempts: 3 initial_backoff { seconds: 1 } max_backoff { seconds: 8 }")});
  CallPlan plan = Failing(2);
  plan.metadata.emplace_back("grpc-previous-rpc-attempts", "4");
  const CallBook::Entry& call = Start(plan);
  Run();
  EXPECT_EQ(call.record.grpc_status, 0);
  EXPECT_EQ(call.record.body, plan.response.body.bytes);
  ASSERT_EQ(call.attempts.size(), 3u);
  const char* const previous[] = {"4", "5", "6"};
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(call.attempts[i]->body, plan.request.bytes);
    EXPECT_EQ(*testing::FindField(call.attempts[i]->metadata, "grpc-previous-rpc-attempts"),
              previous[i]);
  }
  const absl::Duration first = call.attempts[1]->started - call.attempts[0]->ended;
  const absl::Duration second = call.attempts[2]->started - call.attempts[1]->ended;
  EXPECT_GE(first, absl::Milliseconds(800));
  EXPECT_LE(first, absl::Milliseconds(1250));
  EXPECT_GE(second, absl::Milliseconds(1600));
  EXPECT_LE(second, absl::Milliseconds(2450));
  EXPECT_EQ(proxy_->stats().retries.value(), 2u);
}

TEST_F(RetryTest, TheLastAttemptsFailureIsTheAnswer) {
  Put({WithRetries("max_attempts: 3")});
  CallPlan plan = Failing(9);
  plan.response.failing_trailers = {{"x-why", "down"}};
  const CallBook::Entry& call = Start(plan);
  Run();
  EXPECT_EQ(call.record.grpc_status, 14);
  EXPECT_EQ(*testing::FindField(call.record.trailers, "x-why"), "down");
  EXPECT_EQ(call.attempts.size(), 3u);
}

TEST_F(RetryTest, OnlyWhatThePolicyNamesIsRetried) {
  Put({WithRetries("max_attempts: 3 retryable_status_codes: ABORTED")});
  const CallBook::Entry& unavailable = Start(Failing(1, 14));
  const CallBook::Entry& aborted = Start(Failing(1, 10));
  Run();
  EXPECT_EQ(unavailable.record.grpc_status, 14);
  EXPECT_EQ(aborted.record.grpc_status, 0);
}

TEST_F(RetryTest, NothingIsRetriedOnceHeadersWentDownstream) {
  Put({WithRetries("max_attempts: 3")});
  CallPlan plan = Plan(ResponsePlan::Kind::kNormal);
  plan.response.grpc_status = 14;
  const CallBook::Entry& call = Start(plan);
  Run();
  EXPECT_EQ(call.record.grpc_status, 14);
  EXPECT_EQ(call.attempts.size(), 1u);
}

TEST_F(RetryTest, ALostConnectionIsRetriedByAPolicyOnly) {
  CallPlan plan = Plan(ResponsePlan::Kind::kNormal);
  plan.response.delay = absl::Seconds(5);
  for (bool policy : {false, true}) {
    if (policy) Put({WithRetries("max_attempts: 2")});
    const CallBook::Entry& call = Start(plan);
    RunFor(absl::Seconds(1));
    network_.CutAll(kOne, testing::CutKind::kReset);
    Run();
    EXPECT_EQ(call.record.grpc_status, policy ? 0 : 14);
    EXPECT_EQ(call.attempts.size(), policy ? 2u : 1u);
  }
}

TEST_F(RetryTest, ARequestBeyondTheReplayBufferIsNotRetried) {
  Put({WithRetries("max_attempts: 3")});
  CallPlan fits = Failing(1);
  fits.request.bytes = testing::GrpcMessages(1, {limits::kRetryReplayBytesMax - 5});
  CallPlan beyond = Failing(1);
  beyond.request.bytes = testing::GrpcMessages(1, {limits::kRetryReplayBytesMax});
  const CallBook::Entry& first = Start(fits);
  const CallBook::Entry& second = Start(beyond);
  Run();
  EXPECT_EQ(first.record.grpc_status, 0);
  EXPECT_EQ(first.attempts.back()->body, fits.request.bytes);
  EXPECT_EQ(second.record.grpc_status, 14);
  EXPECT_EQ(second.attempts.size(), 1u);
}

TEST_F(RetryTest, PushbackSaysWhenAndWhether) {
  Put({WithRetries("max_attempts: 2 initial_backoff { nanos: 1000000 }")});
  struct Case {
    const char* pushback;
    size_t attempts;
    absl::Duration at_least;
  };
  const Case cases[] = {
      {"2500", 2, absl::Milliseconds(2500)}, {"0", 2, absl::ZeroDuration()},
      {"-1", 1, absl::ZeroDuration()},       {"soon", 1, absl::ZeroDuration()},
      {"", 1, absl::ZeroDuration()},         {"99999999999999999999", 1, absl::ZeroDuration()}};
  for (const Case& c : cases) {
    CallPlan plan = Failing(1);
    plan.response.failing_trailers = {{"grpc-retry-pushback-ms", c.pushback}};
    const CallBook::Entry& call = Start(plan);
    Run();
    EXPECT_EQ(call.attempts.size(), c.attempts) << c.pushback;
    EXPECT_EQ(call.record.grpc_status, c.attempts == 2 ? 0 : 14) << c.pushback;
    EXPECT_GE(call.record.ended - call.record.started, c.at_least) << c.pushback;
  }
}

TEST_F(RetryTest, ARetryThatWouldMissTheDeadlineIsNotMade) {
  Put({WithRetries("max_attempts: 3 initial_backoff { seconds: 5 } max_backoff { seconds: 5 }")});
  CallPlan plan = Failing(1);
  plan.timeout = "2S";
  const CallBook::Entry& call = Start(plan);
  Run();
  EXPECT_EQ(call.record.grpc_status, 14);
  EXPECT_LT(call.record.ended - call.record.started, absl::Seconds(1));
}

TEST_F(RetryTest, ACallCancelledBetweenAttemptsStaysCancelled) {
  Put({WithRetries("max_attempts: 3 initial_backoff { seconds: 5 } max_backoff { seconds: 5 }")});
  CallPlan plan = Failing(1);
  plan.cancel_after = absl::Seconds(1);
  const CallBook::Entry& call = Start(plan);
  RunFor(absl::Minutes(1));
  EXPECT_EQ(call.record.end, CallRecord::End::kCancelled);
  EXPECT_EQ(call.attempts.size(), 1u);
  EXPECT_EQ(proxy_->stats().calls.value(), 0u);
}

TEST_F(RetryTest, TheBudgetBoundsRetriesAtTheSameTime) {
  Options options;
  options.upstream.retries_min = 2;
  options.upstream.retry_percent = 0;
  UseOptions(options);
  ConnectClient();
  Put({WithRetries("max_attempts: 2 initial_backoff { seconds: 5 } max_backoff { seconds: 5 }")});
  std::vector<const CallBook::Entry*> calls;
  for (int i = 0; i < 5; ++i) calls.push_back(&Start(Failing(1)));
  Run();
  size_t retried = 0;
  for (const CallBook::Entry* call : calls) retried += call->attempts.size() - 1;
  EXPECT_EQ(retried, 2u);
  EXPECT_EQ(proxy_->stats().retries_denied.value(), 3u);
  // The budget is free again.
  const CallBook::Entry& later = Start(Failing(1));
  Run();
  EXPECT_EQ(later.record.grpc_status, 0);
}

TEST_F(RetryTest, TheThrottleLeavesAVersionInPeaceThatFailsAll) {
  Put({WithRetries("max_attempts: 2 initial_backoff { nanos: 1000000 }")});
  size_t attempts = 0;
  for (int i = 0; i < 60; ++i) {
    const CallBook::Entry& call = Start(Failing(9));
    Run();
    attempts += call.attempts.size();
  }
  // Fifty tokens are spent by 25 calls of two attempts.
  EXPECT_EQ(attempts, 60u + 25u);
}

// Its address may be another version's by then.
TEST_F(RetryTest, ARetryDoesNotGoToAnInstanceThatHasLeftMeanwhile) {
  Put({WithRetries("max_attempts: 3 initial_backoff { seconds: 5 } max_backoff { seconds: 5 }")});
  for (absl::Duration leaves : {absl::Milliseconds(100), absl::Milliseconds(3500)}) {
    const CallBook::Entry& call = Start(Failing(9));
    RunFor(leaves);
    ASSERT_EQ(call.attempts.size(), 1u);
    ASSERT_TRUE(tables_.Delete(route::ParseResource(Instance("1.0.0", 1))).ok());
    Put({});
    Run();
    EXPECT_EQ(call.record.grpc_status, 14);
    EXPECT_EQ(call.attempts.size(), 1u);
    Put({Instance("1.0.0", 1)});
  }
}

TEST_F(RetryTest, UnreachableInstancesAreRetriedByAPolicy) {
  network_.Unlisten(kOne);
  Put({WithRetries("max_attempts: 5 initial_backoff { seconds: 1 } max_backoff { seconds: 1 }")});
  const CallRecord& call = Start(Plan()).record;
  RunFor(absl::Milliseconds(1500));
  one_ = AddServer("1.0.0", kOne);
  Run();
  EXPECT_EQ(call.grpc_status, 0) << call.grpc_message;
}

}  // namespace
}  // namespace pinion::proxy
