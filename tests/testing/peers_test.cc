// SimClient and SimServer, connected directly: what a perfect gateway would show.
#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/testing/call_plan.h"
#include "tests/testing/sim_client.h"
#include "tests/testing/sim_network.h"
#include "tests/testing/sim_server.h"

namespace pinion::testing {
namespace {

using Kind = ResponsePlan::Kind;

const net::Endpoint kServer{.host = "10.0.0.2", .port = 80};

class PeersTest : public ::testing::Test {
 protected:
  // Every part is made afresh, so that a test can run many seeds.
  struct Run {
    explicit Run(uint64_t seed, http2::Options server_options = {}, LinkPolicy policy = {})
        : world(seed),
          network(world),
          loop(world, &network),
          shared(loop),
          server(shared, {"uid", "1.0.0", kServer}, server_options, book) {
      network.set_policy([policy](const net::Endpoint&) { return policy; });
      network.Listen(kServer, loop, [this](std::unique_ptr<net::ByteStream> stream) {
        server.Accept(std::move(stream));
      });
      world.set_turns_max(5'000'000);
    }

    SimClient& Client(http2::Options options = {}) {
      client = std::make_unique<SimClient>(shared, network.Connect(loop, kServer), options,
                                           [this](CallBook::Entry&) { ++ended; });
      return *client;
    }

    CallBook::Entry& Call(CallPlan plan) {
      if (client == nullptr) Client();
      CallBook::Entry& entry = book.Add(std::move(plan));
      loop.Post([this, &entry] { client->Start(entry); });
      return entry;
    }

    void Finish() {
      world.Run([this] { return ended == book.entries().size() && server.active_streams() == 0; },
                absl::Minutes(10));
    }

    SimWorld world;
    SimNetwork network;
    SimLoop loop;
    transport::Shared shared;
    CallBook book;
    SimServer server;
    std::unique_ptr<SimClient> client;
    size_t ended = 0;
  };

  static CallPlan Plan(Kind kind, std::vector<size_t> request, std::vector<size_t> response) {
    CallPlan plan;
    plan.path = "/sim.Echo/Talk";
    plan.request.bytes = GrpcMessages(1, request);
    plan.response.kind = kind;
    plan.response.body.bytes = GrpcMessages(2, response);
    plan.response.trailers = {{"x-trailer", "1"}, {"x-trailer", "2"}};
    return plan;
  }
};

TEST_F(PeersTest, AUnaryCallIsSeenAsPlanned) {
  Run run(1);
  CallPlan plan = Plan(Kind::kNormal, {100}, {200});
  plan.metadata = {{"x-a", "1"}};
  plan.timeout = "5S";
  CallBook::Entry& entry = run.Call(plan);
  run.Finish();
  const CallRecord& record = entry.record;
  EXPECT_EQ(record.end, CallRecord::End::kStatus);
  EXPECT_EQ(record.ends, 1);
  EXPECT_EQ(record.http_status, 200);
  EXPECT_EQ(record.grpc_status, 0);
  EXPECT_FALSE(record.trailers_only);
  EXPECT_EQ(record.body, plan.response.body.bytes);
  EXPECT_EQ(record.trailers,
            (Metadata{{"grpc-status", "0"}, {"x-trailer", "1"}, {"x-trailer", "2"}}));
  ASSERT_EQ(entry.attempts.size(), 1u);
  const AttemptRecord& attempt = *entry.attempts[0];
  EXPECT_EQ(attempt.end, AttemptRecord::End::kAnswered);
  EXPECT_EQ(attempt.body, plan.request.bytes);
  EXPECT_TRUE(attempt.request_ended);
  EXPECT_EQ(*FindField(attempt.metadata, "x-a"), "1");
  EXPECT_EQ(*FindField(attempt.metadata, "grpc-timeout"), "5S");
  EXPECT_EQ(attempt.path, "/sim.Echo/Talk");
}

TEST_F(PeersTest, EachKindOfAnswer) {
  Run run(2);
  CallPlan trailers_only = Plan(Kind::kTrailersOnly, {}, {});
  trailers_only.response.grpc_status = 5;
  trailers_only.response.grpc_message = "no";
  CallPlan reset = Plan(Kind::kReset, {10}, {100});
  reset.response.reset_after_bytes = 50;
  reset.response.reset_code = http2::ErrorCode::kEnhanceYourCalm;
  CallPlan http = Plan(Kind::kHttpError, {10}, {20});
  http.response.http_status = 503;
  CallPlan cancelled = Plan(Kind::kNeverAnswer, {10}, {});
  cancelled.cancel_after = absl::Milliseconds(30);
  CallBook::Entry& only = run.Call(trailers_only);
  CallBook::Entry& was_reset = run.Call(reset);
  CallBook::Entry& error = run.Call(http);
  CallBook::Entry& never = run.Call(cancelled);
  CallBook::Entry& refused = run.Call(Plan(Kind::kRefuse, {10}, {10}));
  run.Finish();
  EXPECT_TRUE(only.record.trailers_only);
  EXPECT_EQ(only.record.grpc_status, 5);
  EXPECT_EQ(only.record.grpc_message, "no");
  EXPECT_EQ(was_reset.record.end, CallRecord::End::kReset);
  EXPECT_EQ(was_reset.record.reset_code, http2::ErrorCode::kEnhanceYourCalm);
  EXPECT_EQ(was_reset.record.body.size(), 50u);
  EXPECT_EQ(was_reset.attempts[0]->end, AttemptRecord::End::kResetByServer);
  EXPECT_EQ(error.record.http_status, 503);
  EXPECT_EQ(error.record.grpc_status, -1);
  EXPECT_EQ(never.record.end, CallRecord::End::kCancelled);
  EXPECT_EQ(never.attempts[0]->end, AttemptRecord::End::kResetByPeer);
  EXPECT_EQ(never.attempts[0]->reset_code, http2::ErrorCode::kCancel);
  EXPECT_EQ(refused.record.reset_code, http2::ErrorCode::kRefusedStream);
  EXPECT_EQ(refused.attempts[0]->end, AttemptRecord::End::kRefused);
}

TEST_F(PeersTest, AnEarlyAnswerEndsTheRequestWithNoError) {
  Run run(3);
  CallPlan plan = Plan(Kind::kNormal, {50'000}, {70'000});
  plan.request.pauses = {{1000, absl::Minutes(5)}};
  plan.response.start_at_request_byte = 10;
  CallBook::Entry& entry = run.Call(plan);
  run.Finish();
  EXPECT_EQ(entry.record.grpc_status, 0);
  EXPECT_EQ(entry.record.body, plan.response.body.bytes);
  EXPECT_FALSE(entry.record.request_ended);
  EXPECT_EQ(entry.attempts[0]->end, AttemptRecord::End::kAnswered);
}

TEST_F(PeersTest, ALostConnectionEndsBothSides) {
  Run run(4);
  CallBook::Entry& entry = run.Call(Plan(Kind::kNeverAnswer, {10}, {}));
  run.world.RunFor(absl::Seconds(1));
  EXPECT_EQ(run.server.active_streams(), 1u);
  run.network.CutAll(kServer, CutKind::kReset);
  run.Finish();
  EXPECT_EQ(entry.record.end, CallRecord::End::kConnectionLost);
  EXPECT_EQ(entry.attempts[0]->end, AttemptRecord::End::kConnectionLost);
  EXPECT_TRUE(*entry.attempts[0]->connection_ended);
  EXPECT_TRUE(run.client->closed());
}

TEST_F(PeersTest, AGracefulGoAwayFinishesWhatRuns) {
  Run run(5);
  CallPlan plan = Plan(Kind::kNormal, {10}, {10});
  plan.response.delay = absl::Seconds(5);
  CallBook::Entry& running = run.Call(plan);
  run.world.RunFor(absl::Seconds(1));
  run.loop.Post([&] { run.server.GoAway(absl::Seconds(1)); });
  run.world.RunFor(absl::Seconds(2));
  CallBook::Entry& late = run.Call(plan);
  run.Finish();
  EXPECT_EQ(running.record.grpc_status, 0);
  EXPECT_EQ(late.record.end, CallRecord::End::kConnectionLost);
  EXPECT_TRUE(late.attempts.empty());
  run.world.RunFor(absl::Minutes(1));
  EXPECT_EQ(run.server.connections(), 0u);
}

TEST_F(PeersTest, ALoweredLimitIsKept) {
  Run run(6);
  CallPlan plan = Plan(Kind::kNormal, {10}, {10});
  plan.response.delay = absl::Milliseconds(10);
  run.Call(plan);
  run.Finish();
  run.loop.Post([&] { run.server.LowerMaxStreams(2); });
  run.world.RunFor(absl::Minutes(1));
  for (int i = 0; i < 10; ++i) run.Call(plan);
  run.Finish();
  EXPECT_EQ(run.ended, 11u);
  EXPECT_TRUE(run.book.complaints().empty());
  for (auto& [id, entry] : run.book.entries()) EXPECT_EQ(entry.record.grpc_status, 0);
}

// Two engines, every policy of the network but cuts: each byte arrives, once and in its place.
TEST_F(PeersTest, EveryByteArrivesUnderEveryPolicyWithoutCuts) {
  constexpr size_t kSizes[] = {0, 1, 16383, 16384, 16385, 65535, 65536, 150'000};
  for (uint64_t seed = 1; seed <= 150; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    http2::Options options;
    constexpr uint32_t kWindows[] = {600, 16384, 65535, 65536, 300'000};
    options.stream_window_bytes = random.PickFrom(kWindows);
    Run run(seed, options, DrawLinkPolicy(random, absl::Seconds(1)));
    options.stream_window_bytes = random.PickFrom(kWindows);
    run.Client(options);
    for (int i = 0; i < 4; ++i) {
      CallPlan plan = Plan(random.OneIn(2) ? Kind::kEcho : Kind::kNormal,
                           {random.PickFrom(kSizes), random.Size(1000)},
                           {random.PickFrom(kSizes), random.PickFrom(kSizes)});
      plan.request.end_alone = random.OneIn(2);
      plan.response_reading.pauses = {{random.Size(1000), absl::Milliseconds(50)}};
      if (plan.response.kind == Kind::kEcho) plan.response.start_at_request_byte = 0;
      run.Call(std::move(plan));
    }
    run.Finish();
    ASSERT_EQ(run.ended, 4u);
    for (auto& [id, entry] : run.book.entries()) {
      const std::string& sent = entry.plan.response.kind == Kind::kEcho
                                    ? entry.plan.request.bytes
                                    : entry.plan.response.body.bytes;
      ASSERT_EQ(entry.record.grpc_status, 0) << entry.record.detail;
      ASSERT_TRUE(entry.record.body == sent);
      ASSERT_FALSE(entry.record.body_differs);
      ASSERT_TRUE(entry.attempts.at(0)->body == entry.plan.request.bytes);
    }
  }
}

}  // namespace
}  // namespace pinion::testing
