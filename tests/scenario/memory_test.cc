// Memory is short: what each stage ends, and what it leaves alone.
#include <string>

#include "gateway/limits.h"
#include "gateway/memory_limits.h"
#include "gmock/gmock.h"
#include "tests/scenario/scenario.h"

namespace pinion::proxy {
namespace {

constexpr int kOk = 0;
constexpr int kResourceExhausted = 8;

class MemoryTest : public ScenarioTest {
 protected:
  void Press(MemoryStage stage, size_t give_back = 0) {
    proxy_loop_.Post([this, stage, give_back] {
      proxy_->SetMemoryPressure({.stage = stage, .give_back = give_back});
    });
    RunFor(absl::Milliseconds(10));
  }

  uint64_t Acted(http2::Limit limit) const { return std::as_const(*proxy_).limits().value(limit); }

  // Of whose answer so many bytes wait in the gateway, beyond a window that its caller fills and
  // does not read for two minutes.
  CallBook::Entry& StartUnread(size_t waiting_bytes) {
    CallPlan plan = Plan(ResponsePlan::Kind::kNormal);
    plan.response.body.bytes =
        testing::GrpcMessages(1, {limits::kStreamWindowBytes + waiting_bytes - 5});
    plan.response_reading.pauses = {{.at_byte = 0, .duration = absl::Minutes(2)}};
    return Start(plan);
  }

  static CallPlan Endless() {
    CallPlan plan = Plan();
    plan.request.pauses = {{.at_byte = 50, .duration = absl::Minutes(1)}};
    return plan;
  }
};

TEST_F(MemoryTest, ConnectionsWithoutCallsAreAskedToGo) {
  Start(Plan());
  Run();
  ListenRaw(kTwo);
  RawPeer& idle = ConnectRaw();
  RawPeer& busy = ConnectRaw();
  RunFor(limits::kIdleTimeoutShort);
  busy.Send(RequestHeaders(1, {{"api-version", "2.0.0"}}));
  RawPeer& newcomer = ConnectRaw();
  RunFor(absl::Milliseconds(100));
  Press(MemoryStage::kEndIdle);
  RunFor(absl::Seconds(3));
  EXPECT_TRUE(idle.ended());
  EXPECT_FALSE(busy.ended());
  EXPECT_FALSE(newcomer.ended()) << "it has not been idle for long";
  EXPECT_EQ(Acted(http2::Limit::kMemoryIdle), 2u);
  EXPECT_EQ(proxy_->connections(listener_), 2u);
  Press(MemoryStage::kEndIdle);
  RunFor(absl::Seconds(3));
  EXPECT_TRUE(newcomer.ended());
  EXPECT_FALSE(busy.ended());
}

// GOAWAY before SETTINGS would be an error of ours.
TEST_F(MemoryTest, AConnectionThatHasSaidNothingYetHasItsOwnTime) {
  const auto silent = network_.Connect(peer_loop_, kGateway);
  RunFor(absl::Seconds(2));
  Press(MemoryStage::kEndIdle);
  EXPECT_EQ(Acted(http2::Limit::kMemoryIdle), 1u) << "that is the other one";
  RunFor(absl::Seconds(3));
  EXPECT_EQ(proxy_->connections(listener_), 1u);
  RunFor(limits::kPrefaceTimeout);
  EXPECT_EQ(proxy_->connections(listener_), 0u);
}

TEST_F(MemoryTest, NewCallsAreRefusedAndRunningOnesGoOn) {
  const CallBook::Entry& running = Start(Endless());
  RunFor(absl::Seconds(1));
  Press(MemoryStage::kRefuseCalls);
  const CallBook::Entry& refused = Start(Plan());
  RunFor(absl::Seconds(1));
  EXPECT_EQ(refused.record.grpc_status, kResourceExhausted);
  EXPECT_THAT(refused.record.grpc_message, ::testing::HasSubstr("memory_budget_bytes"));
  EXPECT_NE(testing::FindField(
                refused.record.trailers.empty() ? refused.record.headers : refused.record.trailers,
                "grpc-status-details-bin"),
            nullptr);
  EXPECT_TRUE(refused.attempts.empty());
  EXPECT_EQ(Acted(http2::Limit::kMemoryCalls), 1u);
  EXPECT_EQ(running.record.ends, 0);
  Press(MemoryStage::kEndIdle);
  const CallBook::Entry& taken = Start(Plan());
  Run(absl::Minutes(2));
  EXPECT_EQ(taken.record.grpc_status, kOk);
  EXPECT_EQ(running.record.grpc_status, kOk);
}

TEST_F(MemoryTest, WhatABurstOfCallsNeededDoesNotStay) {
  constexpr size_t kBurst = limits::kCallsKeptMax + 1000;
  Options options;
  options.upstream.calls_max = options.upstream.pending_calls_max = 2 * kBurst;
  UseOptions(options);
  listener_.http2.max_concurrent_streams = 2 * kBurst;
  ListenRaw(kOne);
  ConnectClient();
  CallPlan plan = Plan();
  plan.cancel_after = absl::Seconds(2);
  for (size_t i = 0; i < kBurst; ++i) Start(plan);
  RunFor(absl::Seconds(1));
  EXPECT_EQ(proxy_->calls(), kBurst);
  RunFor(absl::Minutes(1));
  EXPECT_EQ(proxy_->calls(), limits::kCallsKeptMax);
}

TEST_F(MemoryTest, TheGatewaysOwnServicesStillAnswer) {
  Press(MemoryStage::kRefuseCalls);
  RawPeer& client = ConnectRaw();
  client.Send(h2::Headers(1, {{":method", "POST"},
                              {":scheme", "http"},
                              {":path", "/grpc.health.v1.Health/Check"},
                              {":authority", "gateway.example"},
                              {"te", "trailers"},
                              {"content-type", "application/grpc"}}) +
              h2::Data(1, std::string(5, '\0'), h2::kEndStream));
  RunFor(absl::Seconds(1));
  EXPECT_EQ(client.FieldOf(1, "grpc-status"), "0");
}

TEST_F(MemoryTest, TheLargestCallsEndAndNoMoreThanIsNeeded) {
  const CallBook::Entry& middle = StartUnread(40'000);
  const CallBook::Entry& largest = StartUnread(60'000);
  const CallBook::Entry& third = StartUnread(30'000);
  const CallBook::Entry& small = StartUnread(2'000);
  const CallBook::Entry& running = Start(Endless());
  RunFor(absl::Seconds(1));
  // Strings grow by doubling: what a call occupies is up to twice what waits.
  Press(MemoryStage::kEndLargest, 70'000);
  EXPECT_EQ(Acted(http2::Limit::kMemoryLargest), 1u);
  EXPECT_EQ(largest.record.grpc_status, kResourceExhausted);
  EXPECT_EQ(middle.record.grpc_status, -1);
  Press(MemoryStage::kEndLargest, SIZE_MAX);
  EXPECT_EQ(Acted(http2::Limit::kMemoryLargest), 3u);
  Press(MemoryStage::kPlenty);
  Run(absl::Minutes(5));
  for (const CallBook::Entry* ended : {&largest, &middle, &third}) {
    EXPECT_EQ(ended->record.grpc_status, kResourceExhausted);
    EXPECT_EQ(ended->record.ends, 1);
  }
  EXPECT_EQ(small.record.grpc_status, kOk);
  EXPECT_EQ(running.record.grpc_status, kOk);
}

TEST_F(MemoryTest, ALargeRequestThatWaitsForItsInstanceEndsToo) {
  CallPlan plan = Plan();
  plan.request.bytes = testing::GrpcMessages(1, {200'000});
  plan.request_reading.pauses = {{.at_byte = 0, .duration = absl::Minutes(2)}};
  const CallBook::Entry& call = Start(plan);
  RunFor(absl::Seconds(1));
  Press(MemoryStage::kEndLargest, 1);
  Run();
  EXPECT_EQ(call.record.grpc_status, kResourceExhausted);
}

// Bytes that are in frames already belong to the connection: no call's end frees them.
TEST_F(MemoryTest, AConnectionWhoseSocketIsNotReadEnds) {
  network_.set_policy([](const net::Endpoint& at) {
    testing::LinkPolicy policy;
    if (at == kGateway) {
      policy.to_connector.capacity_bytes = 1000;
      policy.to_connector.stall_at_byte = 5000;
      policy.to_connector.stall = absl::Hours(1);
    }
    return policy;
  });
  constexpr uint16_t kInitialWindowSize = 4;
  RawPeer& client = ConnectRaw(h2::Settings({{kInitialWindowSize, 1 << 20}}));
  network_.set_policy([](const net::Endpoint&) { return testing::LinkPolicy(); });
  ListenRaw(kOne, h2::Settings());
  client.Send(h2::WindowUpdate(0, 1 << 20) + RequestHeaders(1));
  RunUntil(
      [this] { return !raw_servers_.empty() && !raw_servers_[0]->Of(1, h2::kHeaders).empty(); });
  raw_servers_[0]->Send(ResponseHeaders(1) + h2::Data(1, std::string(16'000, 'x')) +
                        h2::Data(1, std::string(16'000, 'x')) +
                        h2::Data(1, std::string(16'000, 'x')));
  RunFor(absl::Milliseconds(100));
  const size_t connections = proxy_->connections(listener_);
  Press(MemoryStage::kEndLargest, 1);
  EXPECT_EQ(proxy_->connections(listener_), connections - 1);
  EXPECT_EQ(Acted(http2::Limit::kMemoryLargest), 1u);
  Press(MemoryStage::kPlenty);
  CallPlan plan = Plan();
  plan.metadata.emplace_back("api-version", "2.0.0");
  const CallBook::Entry& next = Start(plan);
  Run();
  EXPECT_EQ(next.record.grpc_status, kOk);
}

}  // namespace
}  // namespace pinion::proxy
