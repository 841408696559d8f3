// A gateway between simulated callers and instances on virtual time: one named case for each thing
// that a call can meet. The simulation of tests/sim draws such cases by the thousand; these are the
// ones that must never break again.
#include <memory>
#include <string>
#include <vector>

#include "gateway/proxy/proxy.h"
#include "gateway/route/testing_table.h"
#include "gtest/gtest.h"
#include "tests/testing/call_plan.h"
#include "tests/testing/sim_client.h"
#include "tests/testing/sim_loop.h"
#include "tests/testing/sim_network.h"
#include "tests/testing/sim_server.h"
#include "tests/testing/sim_world.h"

namespace pinion::proxy {
namespace {

using testing::CallBook;
using testing::CallPlan;
using testing::CallRecord;
using testing::ResponsePlan;

const net::Endpoint kGateway{.host = "10.0.0.1", .port = 80};
const net::Endpoint kOne{.host = "10.0.0.2", .port = 1};
const net::Endpoint kTwo{.host = "10.0.0.2", .port = 2};

class ScenarioTest : public ::testing::Test {
 protected:
  ScenarioTest() {
    listener_.name = "test";
    listener_.identity_header = "api-consumer";
    listener_.trusted_peers.push_back(*net::Cidr::Parse("0.0.0.0/0"));
    proxy_ = std::make_unique<Proxy>(proxy_loop_, Options());
    network_.Listen(kGateway, proxy_loop_, [this](std::unique_ptr<net::ByteStream> stream) {
      proxy_->Accept(std::move(stream), listener_);
    });
    one_ = AddServer("1.0.0", kOne);
    two_ = AddServer("2.0.0", kTwo);
    Put({"service { name: 'greeter' scheme: SEMVER grpc_services: 'acme.Greeter' }",
         "version { service: 'greeter' name: '1.0.0' state: ACTIVE }",
         "version { service: 'greeter' name: '2.0.0' state: ACTIVE }",
         "channel { service: 'greeter' name: 'stable' version: '1.0.0' }", Instance("1.0.0", 1),
         Instance("2.0.0", 2), "consumer { name: 'shipping' }",
         "pin { consumer: 'shipping' service: 'greeter' expression: '^1' }"});
    client_ = std::make_unique<testing::SimClient>(peers_, network_.Connect(peer_loop_, kGateway),
                                                   http2::Options(),
                                                   [this](CallBook::Entry&) { ++ended_; });
  }

  static std::string Instance(const std::string& version, int port) {
    return absl::StrCat("instance { service: 'greeter' version: '", version, "' uid: 'u", port,
                        "' address { socket_address { address: '10.0.0.2' port_value: ", port,
                        " } } }");
  }

  std::unique_ptr<testing::SimServer> AddServer(const std::string& version,
                                                const net::Endpoint& at) {
    auto server = std::make_unique<testing::SimServer>(
        peers_, testing::SimServer::Identity{absl::StrCat("u", at.port), version, at},
        http2::Options(), book_);
    network_.Listen(at, peer_loop_,
                    [server = server.get()](std::unique_ptr<net::ByteStream> stream) {
                      server->Accept(std::move(stream));
                    });
    return server;
  }

  // "2.0.0", or how the call ended without one.
  static std::string VersionOf(const CallRecord& call) {
    const std::string* version = testing::FindField(call.headers, "api-version");
    return version != nullptr ? *version
                              : absl::StrCat("none: grpc-status ", call.grpc_status, " ",
                                             call.grpc_message, " ", call.detail);
  }

  void Put(std::initializer_list<std::string> resources) {
    route::PutAll(tables_, resources);
    proxy_->SetTable(tables_.Build());
  }

  static CallPlan Plan(ResponsePlan::Kind kind = ResponsePlan::Kind::kEcho) {
    CallPlan plan;
    plan.path = "/acme.Greeter/SayHello";
    plan.metadata = {{"api-consumer", "shipping"}};
    plan.request.bytes = testing::GrpcMessages(1, {100});
    plan.response.kind = kind;
    return plan;
  }

  CallBook::Entry& Start(CallPlan plan) {
    CallBook::Entry& entry = book_.Add(std::move(plan));
    ++started_;
    peer_loop_.Post([client = client_.get(), &entry] { client->Start(entry); });
    return entry;
  }

  // Until all calls that were started have ended, or `limit` has passed.
  void Run(absl::Duration limit = absl::Minutes(1)) {
    world_.Run([this] { return ended_ == started_; }, limit);
  }

  testing::SimWorld world_{7};
  testing::SimNetwork network_{world_};
  testing::SimLoop proxy_loop_{world_, &network_};
  testing::SimLoop peer_loop_{world_, &network_};
  transport::Shared peers_{peer_loop_};
  CallBook book_;
  ListenerOptions listener_;
  route::TableBuilder tables_;
  std::unique_ptr<Proxy> proxy_;
  std::unique_ptr<testing::SimServer> one_, two_;
  std::unique_ptr<testing::SimClient> client_;
  size_t started_ = 0;
  size_t ended_ = 0;
};

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
