// The ways in which a call ends: deadlines, cancellations, early answers, half-closes, resets, lost
// connections; and connections themselves, which are told to go in two phases.
#include "tests/scenario/scenario.h"

namespace pinion::proxy {
namespace {

constexpr uint32_t kCancelCode = 8;
constexpr uint32_t kHighestId = 0x7fffffff;

class EndingTest : public ScenarioTest {
 protected:
  RawPeer& ServerWithRequest(uint32_t id = 1) {
    RunUntil([this, id] {
      return !raw_servers_.empty() && !raw_servers_.back()->Of(id, h2::kHeaders).empty();
    });
    return *raw_servers_.back();
  }
};

// ---- deadlines ----

TEST_F(EndingTest, TheDeadlineCountsFromHeadersLessTheTimeSpent) {
  network_.set_policy([](const net::Endpoint& at) {
    testing::LinkPolicy policy;
    if (at == kOne) policy.connect_delay = absl::Seconds(2);
    return policy;
  });
  CallPlan plan = Plan();
  plan.timeout = "10S";
  const CallBook::Entry& call = Start(plan);
  Run();
  const std::string timeout = *testing::FindField(call.attempts.at(0)->metadata, "grpc-timeout");
  const auto left = timeout.back() == 'n' ? absl::Nanoseconds(1) : absl::Microseconds(1);
  const absl::Duration rest =
      std::stoll(timeout) * (timeout.back() == 'm' ? absl::Milliseconds(1) : left);
  EXPECT_LE(rest, absl::Seconds(8)) << timeout;
  EXPECT_GE(rest, absl::Milliseconds(7900)) << timeout;
}

TEST_F(EndingTest, AnExpiredDeadlineIsFourDownstreamAndCancelUpstream) {
  ListenRaw(kOne);
  RawPeer& client = ConnectRaw();
  client.Send(RequestHeaders(1, {{"grpc-timeout", "100m"}}) +
              RequestHeaders(3, {{"grpc-timeout", "200m"}}));
  RawPeer& server = ServerWithRequest(3);
  server.Send(ResponseHeaders(3) + h2::Data(3, "hel"));
  RunFor(absl::Seconds(1));
  for (uint32_t id : {1, 3}) {
    EXPECT_EQ(client.FieldOf(id, "grpc-status"), "4") << id;
    EXPECT_EQ(server.ResetOf(id), kCancelCode) << id;
  }
  EXPECT_EQ(client.DataOf(3), "hel");
}

TEST_F(EndingTest, ADeadlineEndsACallWhoseReaderReadsNothing) {
  CallPlan plan = Plan(ResponsePlan::Kind::kNormal);
  plan.response.body.bytes = testing::GrpcMessages(1, {500'000});
  plan.response_reading.pauses = {{0, absl::Hours(1)}};
  plan.timeout = "2S";
  const CallBook::Entry& call = Start(plan);
  Run();
  EXPECT_EQ(call.record.grpc_status, 4);
  EXPECT_LT(call.record.ended - call.record.started, absl::Seconds(3));
  RunFor(absl::Seconds(1));
  EXPECT_EQ(call.attempts.at(0)->end, AttemptRecord::End::kResetByPeer);
}

// grpc-go's server does so.
TEST_F(EndingTest, AnInstanceThatCancelsAtTheDeadlineTellsOfTheDeadline) {
  ListenRaw(kOne);
  RawPeer& client = ConnectRaw();
  uint32_t id = 1;
  for (bool after_headers : {false, true}) {
    for (bool at_the_deadline : {false, true}) {
      const absl::Time begin = world_.now();
      client.Send(RequestHeaders(id, {{"grpc-timeout", "100m"}}));
      RawPeer& server = ServerWithRequest(id);
      if (after_headers) server.Send(ResponseHeaders(id));
      RunFor(begin + absl::Milliseconds(at_the_deadline ? 99.5 : 90) - world_.now());
      server.Send(h2::RstStream(id, kCancelCode));
      RunFor(absl::Milliseconds(1));
      EXPECT_EQ(client.FieldOf(id, "grpc-status"), at_the_deadline ? "4" : "");
      EXPECT_EQ(client.ResetOf(id) == kCancelCode, !at_the_deadline);
      id += 2;
    }
  }
}

TEST_F(EndingTest, AbsurdTimeoutsGetOneClearStatus) {
  struct Case {
    const char* timeout;
    const char* status;  // empty: the call goes on
  };
  const Case cases[] = {{"", "3"},           {"S", "3"},        {"1", "3"},       {"1s", "3"},
                        {"-1S", "3"},        {"+1S", "3"},      {"1.5S", "3"},    {"1 S", "3"},
                        {"123456789S", "3"}, {"0x1S", "3"},     {"1SS", "3"},     {"0n", "4"},
                        {"00000000S", "4"},  {"99999999H", ""}, {"00000009H", ""}};
  ListenRaw(kOne);
  RawPeer& client = ConnectRaw();
  uint32_t id = 1;
  for (const Case& c : cases) {
    client.Send(RequestHeaders(id, {{"grpc-timeout", c.timeout}}));
    RunFor(absl::Milliseconds(100));
    EXPECT_EQ(client.FieldOf(id, "grpc-status"), c.status) << c.timeout;
    id += 2;
  }
  client.Send(RequestHeaders(id, {{"grpc-timeout", "1S"}, {"grpc-timeout", "2S"}}));
  RunFor(absl::Milliseconds(100));
  EXPECT_EQ(client.FieldOf(id, "grpc-status"), "3");
}

// ---- cancellation ----

TEST_F(EndingTest, ACancelledCallIsCancelledUpstreamAtOnce) {
  CallPlan plan = Plan(ResponsePlan::Kind::kNeverAnswer);
  plan.cancel_after = absl::Seconds(1);
  const CallBook::Entry& call = Start(plan);
  RunFor(absl::Seconds(5));
  const AttemptRecord& attempt = *call.attempts.at(0);
  EXPECT_EQ(attempt.end, AttemptRecord::End::kResetByPeer);
  EXPECT_EQ(attempt.reset_code, http2::ErrorCode::kCancel);
  EXPECT_LT(attempt.ended - call.record.ended, absl::Milliseconds(100));
}

TEST_F(EndingTest, CancelledWhileConnecting) {
  network_.set_policy([](const net::Endpoint& at) {
    testing::LinkPolicy policy;
    if (at == kOne) policy.connect_delay = absl::Seconds(2);
    return policy;
  });
  CallPlan plan = Plan();
  plan.cancel_after = absl::Seconds(1);
  const CallBook::Entry& call = Start(plan);
  RunFor(absl::Seconds(5));
  EXPECT_TRUE(call.attempts.empty());
  EXPECT_EQ(proxy_->stats().calls.value(), 0u);
}

TEST_F(EndingTest, CancelledWhileQueuedLeavesTheOthersInTheQueue) {
  http2::Options options;
  options.max_concurrent_streams = 1;
  one_ = AddServer("1.0.0", kOne, options);
  Options limited;
  limited.upstream.instance_connections_max = 1;
  UseOptions(limited);
  ConnectClient();
  CallPlan first = Plan(ResponsePlan::Kind::kNormal);
  first.response.delay = absl::Seconds(4);
  CallPlan second = Plan();
  second.cancel_after = absl::Seconds(1);
  Start(first);
  RunFor(absl::Milliseconds(100));
  const CallBook::Entry& cancelled = Start(second);
  RunFor(absl::Milliseconds(100));
  const CallBook::Entry& third = Start(Plan());
  Run();
  EXPECT_TRUE(cancelled.attempts.empty());
  EXPECT_EQ(third.record.grpc_status, 0);
}

TEST_F(EndingTest, CancelledWhileBlockedOnAWindow) {
  for (bool request : {false, true}) {
    CallPlan plan = Plan(ResponsePlan::Kind::kNormal);
    (request ? plan.request : plan.response.body).bytes = testing::GrpcMessages(1, {500'000});
    (request ? plan.request_reading : plan.response_reading).pauses = {{0, absl::Hours(1)}};
    plan.cancel_after = absl::Seconds(1);
    const CallBook::Entry& call = Start(plan);
    RunFor(absl::Seconds(5));
    const AttemptRecord& attempt = *call.attempts.at(0);
    EXPECT_EQ(attempt.end, AttemptRecord::End::kResetByPeer) << request;
    EXPECT_LT(attempt.ended - call.record.ended, absl::Milliseconds(100));
  }
}

TEST_F(EndingTest, CancelledWithinTheTurnThatBeganItGoesNowhere) {
  ListenRaw(kOne);
  RawPeer& client = ConnectRaw();
  client.Send(RequestHeaders(1));
  RawPeer& server = ServerWithRequest(1);
  client.Send(RequestHeaders(3) + h2::RstStream(3, kCancelCode) + RequestHeaders(5) +
              h2::Data(5, "hello", h2::kEndStream) + h2::RstStream(5, kCancelCode) +
              RequestHeaders(7));
  RunUntil([&] { return !server.Of(3, h2::kHeaders).empty(); });  // what was 7
  RunFor(absl::Seconds(1));
  EXPECT_EQ(proxy_->stats().calls.value(), 2u);
  EXPECT_EQ(proxy_->stats().calls_total.value(), 4u);
  EXPECT_EQ(server.ResetOf(3), std::nullopt);
  EXPECT_TRUE(server.Of(5, h2::kHeaders).empty());
}

// ---- early answers, half-closes ----

TEST_F(EndingTest, EarlyResponseWithResetNoErrorDeliversEverything) {
  CallPlan plan = Plan(ResponsePlan::Kind::kNormal);
  plan.request.bytes = testing::GrpcMessages(1, {50'000, 50'000});
  plan.request.pauses = {{50'000, absl::Hours(1)}};
  plan.response.start_at_request_byte = 0;
  plan.response.body.bytes = testing::GrpcMessages(2, {200 * 1024});
  plan.response.reset_after_answer = true;
  const CallBook::Entry& call = Start(plan);
  RunFor(absl::Seconds(10));
  EXPECT_EQ(call.record.grpc_status, 0);
  EXPECT_TRUE(call.record.body == plan.response.body.bytes) << call.record.body.size();
  EXPECT_EQ(proxy_->stats().calls.value(), 0u);
}

TEST_F(EndingTest, EarlyResponseOfManyWindowsInOneReadDeliversEverything) {
  Options options;
  options.upstream.http2.stream_window_bytes = 1 << 20;
  options.upstream.http2.connection_window_bytes = 1 << 20;
  UseOptions(options);
  ListenRaw(kOne);
  RawPeer& client = ConnectRaw();
  client.Send(RequestHeaders(1));
  RawPeer& server = ServerWithRequest();
  std::string answer = ResponseHeaders(1);
  const std::string body = testing::GrpcMessages(3, {200 * 1024});
  for (size_t at = 0; at < body.size(); at += 16000) {
    answer += h2::Data(1, body.substr(at, 16000));
  }
  server.Send(answer + Trailers(1, {{"grpc-status", "0"}}) + h2::RstStream(1, 0));
  RunFor(absl::Seconds(1));
  client.Send(h2::WindowUpdate(1, 1 << 20) + h2::WindowUpdate(0, 1 << 20));
  RunFor(absl::Seconds(1));
  EXPECT_TRUE(client.DataOf(1) == body) << client.DataOf(1).size();
  EXPECT_EQ(client.FieldOf(1, "grpc-status"), "0");
  EXPECT_EQ(client.ResetOf(1), 0u);
}

TEST_F(EndingTest, UpstreamHalfCloseAloneDoesNotEndTheRequest) {
  ListenRaw(kOne);
  RawPeer& client = ConnectRaw();
  client.Send(RequestHeaders(1));
  RawPeer& server = ServerWithRequest();
  server.Send(ResponseHeaders(1) + Trailers(1, {{"grpc-status", "0"}}));
  RunFor(absl::Seconds(1));
  client.Send(h2::Data(1, "still here") + h2::Data(1, "", h2::kEndStream));
  RunFor(absl::Seconds(1));
  EXPECT_EQ(server.DataOf(1), "still here");
  EXPECT_EQ(server.ResetOf(1), std::nullopt);
  EXPECT_EQ(client.ResetOf(1), std::nullopt);
  EXPECT_EQ(proxy_->stats().calls.value(), 0u);
}

TEST_F(EndingTest, DownstreamHalfCloseAloneDoesNotEndTheAnswer) {
  ListenRaw(kOne);
  RawPeer& client = ConnectRaw();
  client.Send(RequestHeaders(1) + h2::Data(1, "all", h2::kEndStream));
  RawPeer& server = ServerWithRequest();
  server.Send(ResponseHeaders(1));
  RunFor(absl::Minutes(1));
  server.Send(h2::Data(1, "late") + Trailers(1, {{"grpc-status", "0"}}));
  RunFor(absl::Seconds(1));
  EXPECT_EQ(client.DataOf(1), "late");
  EXPECT_EQ(client.FieldOf(1, "grpc-status"), "0");
}

// ---- resets and lost connections ----

TEST_F(EndingTest, ResetCodesAreMappedAndCancelLeavesAsCancel) {
  const std::pair<uint32_t, const char*> cases[] = {
      {0, "13"}, {1, "13"}, {2, "13"},  {3, "13"}, {4, "13"}, {5, "13"},  {6, "13"}, {7, "14"},
      {8, ""},   {9, "13"}, {10, "13"}, {11, "8"}, {12, "7"}, {13, "13"}, {99, "13"}};
  ListenRaw(kOne);
  RawPeer& client = ConnectRaw();
  uint32_t id = 1;
  uint32_t upstream_id = 1;
  for (const auto& [code, status] : cases) {
    for (bool after_headers : {false, true}) {
      if (code == 7 && !after_headers) continue;  // unseen: see RefusedTwiceIsUnavailable
      client.Send(RequestHeaders(id));
      RawPeer& server = ServerWithRequest(upstream_id);
      if (after_headers) server.Send(ResponseHeaders(upstream_id) + h2::Data(upstream_id, "part"));
      server.Send(h2::RstStream(upstream_id, code));
      RunFor(absl::Milliseconds(100));
      EXPECT_EQ(client.FieldOf(id, "grpc-status"), status) << code << after_headers;
      EXPECT_EQ(client.ResetOf(id) == kCancelCode, code == kCancelCode) << code;
      if (after_headers && code != kCancelCode) {
        EXPECT_EQ(client.DataOf(id), "part");
      }
      id += 2;
      upstream_id += 2;
    }
  }
}

TEST_F(EndingTest, ALostConnectionAfterHeadersIsAnErrorNeverACleanEnd) {
  for (testing::CutKind how : {testing::CutKind::kReset, testing::CutKind::kFin}) {
    CallPlan plan = Plan(ResponsePlan::Kind::kNormal);
    plan.response.body.bytes = testing::GrpcMessages(1, {100, 100});
    plan.response.body.pauses = {{105, absl::Seconds(10)}};
    const CallRecord& call = Start(plan).record;
    RunFor(absl::Seconds(1));
    network_.CutAll(kOne, how);
    Run();
    EXPECT_EQ(call.grpc_status, 14);
    EXPECT_EQ(call.body.size(), 105u);
  }
}

// ---- connections ----

TEST_F(EndingTest, PingIsAnsweredAndNeverForwarded) {
  ListenRaw(kOne);
  RawPeer& client = ConnectRaw();
  client.Send(RequestHeaders(1));
  RawPeer& server = ServerWithRequest();
  client.Send(h2::Ping("12345678"));
  server.Send(h2::Ping("abcdefgh"));
  RunFor(absl::Hours(2));
  ASSERT_EQ(client.Of(0, h2::kPing).size(), 1u);
  EXPECT_EQ(client.Of(0, h2::kPing)[0]->payload, "12345678");
  ASSERT_EQ(server.Of(0, h2::kPing).size(), 1u);  // the answer; none of our own
  EXPECT_EQ(server.Of(0, h2::kPing)[0]->payload, "abcdefgh");
}

TEST_F(EndingTest, GoAwayComesInTwoPhasesAndCallsAreAcceptedBetween) {
  ListenRaw(kOne);
  RawPeer& client = ConnectRaw();
  client.Send(RequestHeaders(1));
  RawPeer& server = ServerWithRequest();
  proxy_->Drain();
  client.Send(RequestHeaders(3));  // crossed the notice
  ServerWithRequest(3);
  RunFor(absl::Milliseconds(100));
  const auto goaways = [&] { return client.Of(0, h2::kGoAway); };
  ASSERT_EQ(goaways().size(), 1u);
  EXPECT_EQ(goaways()[0]->u32(), kHighestId);
  const auto pings = client.Of(0, h2::kPing);
  ASSERT_EQ(pings.size(), 1u);
  client.Send(h2::Ping(pings[0]->payload, h2::kAck));
  RunFor(absl::Milliseconds(100));
  ASSERT_EQ(goaways().size(), 2u);
  EXPECT_EQ(goaways()[1]->u32(), 3u);
  client.Send(RequestHeaders(5));
  RunFor(absl::Milliseconds(100));
  EXPECT_EQ(client.ResetOf(5), 7u);
  EXPECT_FALSE(client.ended());
  for (uint32_t id : {1, 3})
    server.Send(ResponseHeaders(id) + Trailers(id, {{"grpc-status", "0"}}));
  client.Send(h2::Data(1, "", h2::kEndStream) + h2::Data(3, "", h2::kEndStream));
  RunFor(absl::Seconds(1));
  for (uint32_t id : {1, 3}) EXPECT_EQ(client.FieldOf(id, "grpc-status"), "0");
  EXPECT_TRUE(client.ended());
}

TEST_F(EndingTest, TheSecondGoAwayComesAlsoWithoutAnAnswerToThePing) {
  RawPeer& client = ConnectRaw();
  client.Send(RequestHeaders(1, {{"api-version", "9.9.9"}}));
  RunFor(absl::Milliseconds(100));
  proxy_->Drain();
  RunFor(absl::Seconds(2));
  EXPECT_EQ(client.Of(0, h2::kGoAway).size(), 2u);
}

TEST_F(EndingTest, AConnectionWithoutCallsGoesAtItsIdleTimeout) {
  Options options;
  options.idle_timeout = absl::Seconds(2);
  UseOptions(options);
  ListenRaw(kOne);
  RawPeer& idle = ConnectRaw();
  RawPeer& busy = ConnectRaw();
  busy.Send(RequestHeaders(1));
  RunFor(absl::Milliseconds(1900));
  EXPECT_TRUE(idle.Of(0, h2::kGoAway).empty());
  RunFor(absl::Milliseconds(200));
  EXPECT_FALSE(idle.Of(0, h2::kGoAway).empty());
  RunFor(absl::Minutes(1));
  EXPECT_TRUE(idle.ended());
  EXPECT_TRUE(busy.Of(0, h2::kGoAway).empty());
}

TEST_F(EndingTest, AConnectionGoesAtItsGreatestAgeWithJitter) {
  Options options;
  options.connection_age_max = absl::Minutes(10);
  UseOptions(options);
  const absl::Time begin = world_.now();
  std::vector<absl::Duration> ages;
  for (int i = 0; i < 20; ++i)
    ConnectRaw().set_on_frame([&](const RawPeer::Frame& frame) {
      if (frame.type == h2::kGoAway && frame.u32() == kHighestId)
        ages.push_back(world_.now() - begin);
    });
  RunFor(absl::Minutes(12));
  ASSERT_EQ(ages.size(), 20u);
  EXPECT_GE(ages.front(), absl::Minutes(9));
  EXPECT_LE(ages.back(), absl::Minutes(11) + absl::Seconds(1));
  EXPECT_GE(ages.back() - ages.front(), absl::Seconds(30));
  EXPECT_EQ(proxy_->stats().connections_aged.value(), 21u);  // and client_'s
}

TEST_F(EndingTest, AnAgedConnectionsCallsHaveTheGrace) {
  Options options;
  options.connection_age_max = absl::Minutes(1);
  options.connection_age_grace = absl::Seconds(30);
  UseOptions(options);
  ConnectClient();
  CallPlan within = Plan(ResponsePlan::Kind::kNormal);
  within.response.delay = absl::Seconds(80);
  const CallRecord& first = Start(within).record;
  const CallRecord& second = Start(Plan(ResponsePlan::Kind::kNeverAnswer)).record;
  Run(absl::Minutes(5));
  EXPECT_EQ(first.grpc_status, 0);
  EXPECT_EQ(second.end, CallRecord::End::kConnectionLost);
  EXPECT_LE(second.ended - second.started, absl::Seconds(97));
}

TEST_F(EndingTest, AfterTheGraceNobodyWaitsForWhatIsStillToBeRead) {
  Options options;
  options.connection_age_max = absl::Minutes(1);
  options.connection_age_grace = absl::Seconds(30);
  UseOptions(options);
  // 80 kB a second: the socket is never without more to take.
  network_.set_policy([](const net::Endpoint& to) {
    testing::LinkPolicy policy;
    if (to != kGateway) return policy;
    testing::DirectionPolicy& slow = policy.to_connector;
    slow.capacity_bytes = 8 * 1024;
    slow.latency_min = slow.latency_max = absl::Milliseconds(100);
    return policy;
  });
  ConnectClient();
  CallPlan plan = Plan(ResponsePlan::Kind::kNormal);
  plan.response.body.bytes = testing::GrpcMessages(1, {2 << 20});
  std::vector<const CallRecord*> calls;
  for (int i = 0; i < 10; ++i) calls.push_back(&Start(plan).record);
  RunFor(absl::Seconds(105));
  for (const CallRecord* call : calls) EXPECT_EQ(call->end, CallRecord::End::kConnectionLost);
}

TEST_F(EndingTest, ConnectionsLiveForEverUnlessToldOtherwise) {
  const CallRecord& call = Start(Plan(ResponsePlan::Kind::kNeverAnswer)).record;
  Run(absl::Hours(24 * 30));
  EXPECT_EQ(call.ends, 0);
}

}  // namespace
}  // namespace pinion::proxy
