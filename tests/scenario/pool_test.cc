// How calls meet instances: the limits that instances and operators set, connections that die
// silently, instances that fail.
#include <algorithm>
#include <utility>

#include "gateway/upstream_limits.h"
#include "gmock/gmock.h"
#include "tests/scenario/scenario.h"

namespace pinion::proxy {
namespace {

class PoolTest : public ScenarioTest {
 protected:
  void UseUpstream(const upstream::Options& upstream) {
    Options options;
    options.upstream = upstream;
    UseOptions(options);
    ConnectClient();
  }

  // SETTINGS with this MAX_CONCURRENT_STREAMS.
  static std::string Limit(uint32_t streams) { return h2::Settings({{3, streams}}); }

  static constexpr uint32_t kCancelCode = 8;

  // RST_STREAM frames that it has got.
  static size_t Resets(const RawPeer& server) {
    return std::count_if(server.frames().begin(), server.frames().end(),
                         [](const RawPeer::Frame& frame) { return frame.type == h2::kRstStream; });
  }

  // One call after the other, each on its way before it is cancelled.
  void CancelCalls(RawPeer& client, uint32_t first, uint32_t count) {
    for (uint32_t id = first; id < first + 2 * count; id += 2) {
      client.Send(RequestHeaders(id));
      RunFor(absl::Milliseconds(1));
      client.Send(h2::RstStream(id, kCancelCode));
      RunFor(absl::Milliseconds(1));
    }
  }

  // Answers all that arrives and has not been answered.
  static void AnswerAll(RawPeer& server) {
    for (const RawPeer::Frame& frame : server.frames()) {
      if (frame.type != h2::kHeaders || !server.Of(frame.stream_id, h2::kRstStream).empty())
        continue;
      server.Send(ResponseHeaders(frame.stream_id) +
                  Trailers(frame.stream_id, {{"grpc-status", "0"}}));
    }
  }

  // Where two connections are allowed: five that drain do not count, nor when they are closed.
  void DrainFiveAndFillTwo() {
    ListenRaw(kOne);
    std::vector<const CallRecord*> calls;
    for (size_t i = 0; i < 5; ++i) {
      calls.push_back(&Start(Plan()).record);
      RunFor(absl::Seconds(1));
      ASSERT_EQ(raw_servers_.size(), i + 1);
      raw_servers_[i]->Send(h2::GoAway(1, 0));
      RunFor(absl::Seconds(1));
    }
    for (const auto& server : raw_servers_) AnswerAll(*server);
    Run();
    for (const CallRecord* call : calls) EXPECT_EQ(call->grpc_status, 0) << call->grpc_message;
    RunFor(absl::Seconds(1));
    for (const auto& server : raw_servers_) EXPECT_TRUE(server->ended());
    ListenRaw(kOne, Limit(1));
    for (int i = 0; i < 4; ++i) Start(Plan());
    RunFor(absl::Seconds(1));
    EXPECT_EQ(raw_servers_.size(), 5u + 2u);
  }
};

TEST_F(PoolTest, AtMaxConcurrentStreamsAnotherConnectionIsMade) {
  ListenRaw(kOne, Limit(2));
  std::vector<const CallRecord*> calls;
  for (int i = 0; i < 5; ++i) calls.push_back(&Start(Plan()).record);
  RunFor(absl::Seconds(1));
  ASSERT_EQ(raw_servers_.size(), 3u);
  for (const auto& server : raw_servers_) AnswerAll(*server);
  Run();
  for (const CallRecord* call : calls) EXPECT_EQ(call->grpc_status, 0);
}

TEST_F(PoolTest, MaxConcurrentStreamsLoweredMidWayIsRespected) {
  upstream::Options upstream;
  upstream.instance_connections_max = 1;
  UseUpstream(upstream);
  ListenRaw(kOne, Limit(10));
  for (int i = 0; i < 3; ++i) Start(Plan());
  RunFor(absl::Seconds(1));
  RawPeer& server = *raw_servers_.at(0);
  server.Send(Limit(1));
  RunFor(absl::Seconds(1));
  const CallRecord& queued = Start(Plan()).record;
  RunFor(absl::Seconds(1));
  EXPECT_TRUE(server.Of(7, h2::kHeaders).empty());
  server.Send(ResponseHeaders(1) + Trailers(1, {{"grpc-status", "0"}}));
  server.Send(ResponseHeaders(3) + Trailers(3, {{"grpc-status", "0"}}));
  RunFor(absl::Seconds(1));
  EXPECT_TRUE(server.Of(7, h2::kHeaders).empty());
  server.Send(ResponseHeaders(5) + Trailers(5, {{"grpc-status", "0"}}));
  RunFor(absl::Seconds(1));
  ASSERT_FALSE(server.Of(7, h2::kHeaders).empty());
  server.Send(ResponseHeaders(7) + Trailers(7, {{"grpc-status", "0"}}));
  Run();
  EXPECT_EQ(queued.grpc_status, 0);
}

TEST_F(PoolTest, MaxConcurrentStreamsOfZeroMovesQueuedCallsToAnotherInstance) {
  upstream::Options upstream;
  upstream.instance_connections_max = 1;
  UseUpstream(upstream);
  ListenRaw(kOne, Limit(1));
  Start(Plan());
  RunFor(absl::Seconds(1));
  const CallBook::Entry& queued = Start(Plan());
  RunFor(absl::Seconds(1));
  EXPECT_EQ(queued.record.ends, 0);
  const auto three = AddServer("1.0.0", kThree);
  Put({Instance("1.0.0", 3)});
  RunFor(2 * limits::kSweepDelay);  // until the cluster has it, without another call
  raw_servers_.at(0)->Send(Limit(0));
  RunFor(absl::Seconds(1));
  EXPECT_EQ(queued.record.grpc_status, 0) << queued.record.grpc_message;
  EXPECT_EQ(queued.attempts.at(0)->uid, "u3");
  EXPECT_TRUE(raw_servers_.at(0)->Of(3, h2::kHeaders).empty());
}

TEST_F(PoolTest, MaxConcurrentStreamsOfZeroAtTheOnlyInstanceQueuesForABoundedTime) {
  ListenRaw(kOne, Limit(0));
  const CallRecord& fails = Start(Plan()).record;
  RunFor(limits::kPendingMax + absl::Seconds(1));
  EXPECT_EQ(fails.grpc_status, 14);
  const CallRecord& waits = Start(Plan()).record;
  RunFor(limits::kPendingMax / 2);
  EXPECT_EQ(waits.ends, 0);
  EXPECT_TRUE(raw_servers_.at(0)->Of(1, h2::kHeaders).empty());
  raw_servers_.at(0)->Send(Limit(1));
  RunFor(absl::Seconds(1));
  AnswerAll(*raw_servers_.at(0));
  Run();
  EXPECT_EQ(waits.grpc_status, 0) << waits.grpc_message;
  EXPECT_EQ(network_.connects(kOne), 1u);
}

// CVE-2021-32780.
TEST_F(PoolTest, GoAwayAndMaxConcurrentStreamsOfZeroInOneRead) {
  on_raw_server_ = [](RawPeer& server) {
    server.set_on_frame([&server](const RawPeer::Frame& frame) {
      if (frame.type == h2::kHeaders) server.Send(Limit(0) + h2::GoAway(0, 0) + Limit(0));
    });
  };
  ListenRaw(kOne);
  const CallRecord& call = Start(Plan()).record;
  Run();
  EXPECT_EQ(call.grpc_status, 14);
}

// nghttp2, netty and Envoy end a connection that resets so many, with all that runs on it.
TEST_F(PoolTest, AConnectionIsReplacedBeforeItsServerMindsTheResets) {
  ListenRaw(kOne);
  const CallRecord& other = Start(Plan()).record;
  RunFor(absl::Seconds(1));
  RawPeer& vandal = ConnectRaw();
  const uint32_t at_first = limits::kResetsSentBurst - 1;
  CancelCalls(vandal, 1, at_first);
  EXPECT_EQ(raw_servers_.size(), 1u);
  CancelCalls(vandal, 1 + 2 * at_first, 10 * limits::kResetsSentBurst);
  EXPECT_GE(raw_servers_.size(), 10u);
  for (const auto& server : raw_servers_) {
    EXPECT_LT(Resets(*server), 2 * limits::kResetsSentBurst);
  }
  EXPECT_EQ(other.ends, 0);
  AnswerAll(*raw_servers_[0]);
  Run();
  EXPECT_EQ(other.grpc_status, 0);
  EXPECT_TRUE(raw_servers_[0]->ended());
  EXPECT_EQ(std::as_const(*proxy_).limits().value(http2::Limit::kResetsSent),
            raw_servers_.size() - 1);
}

// A replacement that cannot be made does no harm, and places for need are left.
TEST_F(PoolTest, AConnectionThatCannotBeReplacedGoesOn) {
  upstream::Options upstream;
  upstream.instance_connections_max = 2;
  UseUpstream(upstream);
  ListenRaw(kOne);
  RawPeer& vandal = ConnectRaw();
  CancelCalls(vandal, 1, 3 * limits::kResetsSentBurst);
  EXPECT_EQ(raw_servers_.size(), 1u);
  const CallRecord& other = Start(Plan()).record;
  RunFor(absl::Seconds(1));
  AnswerAll(*raw_servers_[0]);
  Run();
  EXPECT_EQ(other.grpc_status, 0);
}

TEST_F(PoolTest, TheBreakerOfCallsSaysOverloaded) {
  upstream::Options upstream;
  upstream.calls_max = 2;
  UseUpstream(upstream);
  for (int i = 0; i < 2; ++i) {
    CallPlan plan = Plan(ResponsePlan::Kind::kNormal);
    plan.response.delay = absl::Seconds(5);
    Start(plan);
  }
  RunFor(absl::Seconds(1));
  const CallRecord& third = Start(Plan()).record;
  CallPlan other = Plan();
  other.metadata.emplace_back("api-version", "2.0.0");
  const CallRecord& other_version = Start(other).record;
  RunFor(absl::Seconds(1));
  EXPECT_EQ(third.grpc_status, 8);
  EXPECT_EQ(other_version.grpc_status, 0);
  EXPECT_EQ(proxy_->stats().overloads.value(), 1u);
  Run();
  const CallRecord& later = Start(Plan()).record;
  Run();
  EXPECT_EQ(later.grpc_status, 0);
}

// As many come while the first connection is made, and all of them would run.
TEST_F(PoolTest, TheBreakerOfCallsCountsThoseThatWait) {
  upstream::Options upstream;
  upstream.calls_max = 10;
  UseUpstream(upstream);
  ListenRaw(kOne);
  std::vector<const CallRecord*> calls;
  for (int i = 0; i < 50; ++i) calls.push_back(&Start(Plan()).record);
  RunFor(absl::Seconds(1));
  const size_t refused = std::count_if(
      calls.begin(), calls.end(), [](const CallRecord* call) { return call->grpc_status == 8; });
  EXPECT_EQ(refused, 40u);
  AnswerAll(*raw_servers_.at(0));
  RunFor(absl::Seconds(1));
  const CallRecord& later = Start(Plan()).record;
  RunFor(absl::Seconds(1));
  EXPECT_EQ(later.ends, 0) << "it runs";
}

TEST_F(PoolTest, TheBreakerOfPendingCallsCountsAllInstances) {
  upstream::Options upstream;
  upstream.pending_calls_max = 3;
  UseUpstream(upstream);
  ListenRaw(kOne, Limit(0));
  ListenRaw(kThree, Limit(0));
  Put({Instance("1.0.0", 3)});
  std::vector<const CallRecord*> calls;
  for (int i = 0; i < 5; ++i) calls.push_back(&Start(Plan()).record);
  RunFor(absl::Seconds(1));
  size_t refused = 0;
  for (const CallRecord* call : calls) refused += call->grpc_status == 8 ? 1 : 0;
  EXPECT_EQ(refused, 2u);
}

TEST_F(PoolTest, TheBreakerOfConnectionsLeavesEachInstanceOne) {
  upstream::Options upstream;
  upstream.connections_max = 2;
  UseUpstream(upstream);
  ListenRaw(kOne, Limit(1));
  ListenRaw(kThree, Limit(1));
  Put({Instance("1.0.0", 3)});
  for (int i = 0; i < 8; ++i) Start(Plan());
  RunFor(absl::Seconds(1));
  EXPECT_EQ(raw_servers_.size(), 2u);
}

// A server with a greatest age of its connections asks each to go, and calls that last stay on it.
TEST_F(PoolTest, ConnectionsThatDrainTakeNoPlaceOfTheInstance) {
  upstream::Options upstream;
  upstream.instance_connections_max = 2;
  UseUpstream(upstream);
  DrainFiveAndFillTwo();
}

TEST_F(PoolTest, ConnectionsThatDrainTakeNoPlaceOfTheVersion) {
  upstream::Options upstream;
  upstream.connections_max = 2;
  UseUpstream(upstream);
  DrainFiveAndFillTwo();
}

// ---- versions that go ----

// With several instances each call that loses one asks for another, which is to go as well.
TEST_F(PoolTest, CallsThatWaitEndWithTheirVersion) {
  network_.set_policy([](const net::Endpoint& at) {
    testing::LinkPolicy policy;
    if (at == kOne || at == kThree) policy.connect = testing::LinkPolicy::Connect::kNeverAnswer;
    return policy;
  });
  for (const char* gone :
       {"version { service: 'greeter' name: '1.0.0' }", "service { name: 'greeter' }"}) {
    Put({"service { name: 'greeter' scheme: SEMVER grpc_services: 'acme.Greeter' }",
         "version { service: 'greeter' name: '1.0.0' state: ACTIVE }", Instance("1.0.0", 1),
         Instance("1.0.0", 3)});
    RunFor(2 * limits::kSweepDelay);
    std::vector<const CallRecord*> calls;
    for (int i = 0; i < 4; ++i) calls.push_back(&Start(Plan()).record);
    RunFor(absl::Milliseconds(100));
    ASSERT_TRUE(tables_.Delete(route::ParseResource(gone)).ok());
    Put({});
    RunFor(2 * limits::kSweepDelay);
    for (const CallRecord* call : calls) {
      EXPECT_EQ(call->grpc_status, 14) << gone;
      EXPECT_THAT(call->grpc_message, ::testing::HasSubstr("the instance was removed"));
    }
  }
}

// DNS is asked for each connection, and gives a name's addresses in turn.
TEST_F(PoolTest, ANameIsLookedUpAgainAfterAFailure) {
  const net::Endpoint named{.host = "one.example", .port = 9};
  const auto server = AddServer("1.0.0", named);
  Put(
      {"instance { service: 'greeter' version: '1.0.0' uid: 'u1' address { socket_address { "
       "address: 'one.example' port_value: 9 } } }"});
  size_t refused = 2;
  network_.set_policy([&](const net::Endpoint& at) {
    testing::LinkPolicy policy;
    if (at == named && refused > 0) {
      --refused;
      policy.connect = testing::LinkPolicy::Connect::kRefuse;
    }
    return policy;
  });
  const CallRecord& call = Start(Plan()).record;
  Run();
  EXPECT_EQ(call.grpc_status, 0) << call.grpc_message;
  EXPECT_EQ(network_.connects(named), 3u);
  refused = 100;
  network_.CutAll(named, testing::CutKind::kReset);
  RunFor(absl::Seconds(1));
  const CallRecord& fails = Start(Plan()).record;
  Run();
  EXPECT_EQ(fails.grpc_status, 14);
  EXPECT_EQ(network_.connects(named), 6u);
}

// ---- connections that die silently ----

TEST_F(PoolTest, KeepaliveFindsADeadConnection) {
  upstream::Options upstream;
  upstream.keepalive_interval = absl::Minutes(5);
  upstream.keepalive_timeout = absl::Seconds(20);
  UseUpstream(upstream);
  ListenRaw(kOne);
  const CallRecord& call = Start(Plan()).record;
  RunFor(absl::Minutes(4));
  RawPeer& server = *raw_servers_.at(0);
  EXPECT_TRUE(server.Of(0, h2::kPing).empty());
  RunFor(absl::Minutes(1) + absl::Seconds(1));
  ASSERT_EQ(server.Of(0, h2::kPing).size(), 1u);
  server.Send(h2::Ping(server.Of(0, h2::kPing)[0]->payload, h2::kAck));
  RunFor(absl::Minutes(5) + absl::Seconds(10));
  EXPECT_EQ(server.Of(0, h2::kPing).size(), 2u);
  EXPECT_EQ(call.ends, 0);
  RunFor(absl::Seconds(20));
  EXPECT_EQ(call.grpc_status, 14);
  EXPECT_TRUE(server.ended());
}

// Whose socket takes nothing more either: it is not waited for.
TEST_F(PoolTest, KeepaliveFindsADeadConnectionUnderAnUpload) {
  upstream::Options upstream;
  upstream.keepalive_interval = absl::Seconds(10);
  upstream.keepalive_timeout = absl::Seconds(5);
  UseUpstream(upstream);
  network_.set_policy([](const net::Endpoint& to) {
    testing::LinkPolicy policy;
    if (to == kOne) {
      policy.to_acceptor.capacity_bytes = 16 * 1024;
      policy.to_acceptor.stall_at_byte = 30'000;
      policy.to_acceptor.stall = absl::Hours(1);
    }
    return policy;
  });
  ListenRaw(kOne, h2::Settings({{4, 1 << 20}}) + h2::WindowUpdate(0, 1 << 20));
  CallPlan plan = Plan();
  plan.request.bytes = testing::GrpcMessages(1, {500'000});
  const CallRecord& call = Start(plan).record;
  RunFor(absl::Seconds(16));
  EXPECT_EQ(call.grpc_status, 14);
}

TEST_F(PoolTest, KeepaliveAsksNothingWithoutCalls) {
  upstream::Options upstream;
  upstream.keepalive_interval = absl::Minutes(1);
  UseUpstream(upstream);
  ListenRaw(kOne);
  CallPlan plan = Plan();
  plan.cancel_after = absl::Seconds(1);
  Start(plan);
  RunFor(absl::Minutes(3));
  EXPECT_TRUE(raw_servers_.at(0)->Of(0, h2::kPing).empty());
}

// ---- outliers ----

TEST_F(PoolTest, AnInstanceThatFailsFiveCallsInARowRests) {
  const auto three = AddServer("1.0.0", kThree);
  Put({Instance("1.0.0", 3),
       "service { name: 'greeter' scheme: SEMVER grpc_services: 'acme.Greeter' "
       "load_balancing: ROUND_ROBIN }"});
  on_raw_server_ = [](RawPeer& server) {
    server.set_on_frame([&server](const RawPeer::Frame& frame) {
      if (frame.type == h2::kHeaders) server.Send(h2::RstStream(frame.stream_id, 2));
    });
  };
  ListenRaw(kOne);
  const auto failed_of = [this](int calls) {
    int failed = 0;
    for (int i = 0; i < calls; ++i) {
      const CallRecord& call = Start(Plan()).record;
      Run();
      failed += call.grpc_status == 13 ? 1 : 0;
    }
    return failed;
  };
  EXPECT_EQ(failed_of(40), 5);
  RunFor(absl::Seconds(31));
  EXPECT_EQ(failed_of(40), 5);
  RunFor(absl::Seconds(31));  // longer each time
  EXPECT_EQ(failed_of(10), 0);
}

// Else one restart of a busy instance would send it to rest.
TEST_F(PoolTest, ALostConnectionIsOneFailureForAllOfItsCalls) {
  const auto three = AddServer("1.0.0", kThree);
  Put({Instance("1.0.0", 3),
       "service { name: 'greeter' scheme: SEMVER grpc_services: 'acme.Greeter' "
       "load_balancing: ROUND_ROBIN }"});
  const auto lose = [this](int connections) {
    for (int i = 0; i < connections; ++i) {
      std::vector<const CallRecord*> calls;
      for (int call = 0; call < 20; ++call) calls.push_back(&Start(Plan()).record);
      Run();
      int lost = 0;
      raw_servers_.back()->Close();
      Run();
      for (const CallRecord* call : calls) lost += call->grpc_status == 14 ? 1 : 0;
      EXPECT_EQ(lost, 10) << i;
    }
  };
  ListenRaw(kOne);
  lose(4);
  EXPECT_EQ(raw_servers_.size(), 4u);
  lose(1);  // the fifth failure in a row
  for (int call = 0; call < 4; ++call) Start(Plan());
  Run();
  EXPECT_EQ(raw_servers_.size(), 5u) << "it rests";
}

TEST_F(PoolTest, WhereAllInstancesFailNoneRests) {
  on_raw_server_ = [](RawPeer& server) {
    server.set_on_frame([&server](const RawPeer::Frame& frame) {
      if (frame.type == h2::kHeaders) server.Send(h2::RstStream(frame.stream_id, 2));
    });
  };
  ListenRaw(kOne);
  for (int i = 0; i < 20; ++i) {
    const CallRecord& call = Start(Plan()).record;
    Run();
    EXPECT_EQ(call.grpc_status, 13);  // never "no instance"
  }
}

}  // namespace
}  // namespace pinion::proxy
