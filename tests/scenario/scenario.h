// A gateway between simulated callers and instances on virtual time, for tests that tell one case
// each: two versions of one service, a consumer whose pin says ^1, and what a case needs beside
// them. Peers that follow plans, or raw ones that speak frame by frame.
#pragma once

#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gateway/proxy/proxy.h"
#include "gateway/route/testing_table.h"
#include "gtest/gtest.h"
#include "tests/testing/call_plan.h"
#include "tests/testing/raw_peer.h"
#include "tests/testing/sim_client.h"
#include "tests/testing/sim_loop.h"
#include "tests/testing/sim_network.h"
#include "tests/testing/sim_server.h"
#include "tests/testing/sim_world.h"

namespace pinion::proxy {

namespace h2 = testing::h2;
using testing::AttemptRecord;
using testing::CallBook;
using testing::CallPlan;
using testing::CallRecord;
using testing::RawPeer;
using testing::ResponsePlan;

inline const net::Endpoint kGateway{.host = "10.0.0.1", .port = 80};
inline const net::Endpoint kOne{.host = "10.0.0.2", .port = 1};
inline const net::Endpoint kTwo{.host = "10.0.0.2", .port = 2};
inline const net::Endpoint kThree{.host = "10.0.0.2", .port = 3};

class ScenarioTest : public ::testing::Test {
 protected:
  ScenarioTest() {
    listener_.name = "test";
    listener_.identity_header = "api-consumer";
    listener_.trusted_peers.push_back(*net::Cidr::Parse("0.0.0.0/0"));
    UseOptions(Options());
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
    ConnectClient();
  }

  // A gateway with these from now on. Before the first call.
  void UseOptions(Options options) {
    proxy_ = std::make_unique<Proxy>(proxy_loop_, std::move(options));
    if (proxy_tables_ready_) Put({});
  }

  // Another client takes the place of client_.
  void ConnectClient(const http2::Options& options = http2::Options()) {
    clients_.push_back(
        std::make_unique<testing::SimClient>(peers_, network_.Connect(peer_loop_, kGateway),
                                             options, [this](CallBook::Entry&) { ++ended_; }));
    client_ = clients_.back().get();
  }

  static std::string Instance(const std::string& version, int port) {
    return absl::StrCat("instance { service: 'greeter' version: '", version, "' uid: 'u", port,
                        "' address { socket_address { address: '10.0.0.2' port_value: ", port,
                        " } } }");
  }

  // The service with this text of a retry policy.
  static std::string WithRetries(const std::string& policy) {
    return absl::StrCat(
        "service { name: 'greeter' scheme: SEMVER grpc_services: 'acme.Greeter' retry_policy { ",
        policy, " } }");
  }

  std::unique_ptr<testing::SimServer> AddServer(const std::string& version, const net::Endpoint& at,
                                                const http2::Options& options = http2::Options()) {
    auto server = std::make_unique<testing::SimServer>(
        peers_, testing::SimServer::Identity{absl::StrCat("u", at.port), version, at}, options,
        book_);
    network_.Listen(at, peer_loop_,
                    [server = server.get()](std::unique_ptr<net::ByteStream> stream) {
                      server->Accept(std::move(stream));
                    });
    return server;
  }

  // Connections to `at` become raw peers from now on, in their order.
  void ListenRaw(const net::Endpoint& at, const std::string& settings = h2::Settings()) {
    network_.Listen(at, peer_loop_, [this, settings](std::unique_ptr<net::ByteStream> stream) {
      raw_servers_.push_back(
          std::make_unique<RawPeer>(peer_loop_, std::move(stream), /*client=*/false, settings));
      if (on_raw_server_ != nullptr) on_raw_server_(*raw_servers_.back());
    });
  }

  RawPeer& ConnectRaw(const std::string& settings = h2::Settings()) {
    raw_clients_.push_back(std::make_unique<RawPeer>(
        peer_loop_, network_.Connect(peer_loop_, kGateway), /*client=*/true, settings));
    return *raw_clients_.back();
  }

  // HEADERS of a call with these fields after the ones that every gRPC call has.
  static std::string RequestHeaders(uint32_t stream_id, const h2::Fields& more = {},
                                    uint8_t flags = h2::kEndHeaders) {
    h2::Fields fields = {{":method", "POST"},
                         {":scheme", "http"},
                         {":path", "/acme.Greeter/SayHello"},
                         {":authority", "greeter.example"},
                         {"te", "trailers"},
                         {"content-type", "application/grpc"},
                         {"api-consumer", "shipping"}};
    fields.insert(fields.end(), more.begin(), more.end());
    return h2::Headers(stream_id, fields, flags);
  }
  static std::string ResponseHeaders(uint32_t stream_id, const h2::Fields& more = {}) {
    h2::Fields fields = {{":status", "200"}, {"content-type", "application/grpc"}};
    fields.insert(fields.end(), more.begin(), more.end());
    return h2::Headers(stream_id, fields);
  }
  static std::string Trailers(uint32_t stream_id, const h2::Fields& fields) {
    return h2::Headers(stream_id, fields, h2::kEndHeaders | h2::kEndStream);
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
    proxy_tables_ready_ = true;
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
    peer_loop_.Post([client = client_, &entry] { client->Start(entry); });
    return entry;
  }

  // Until all calls that were started have ended, or `limit` has passed.
  void Run(absl::Duration limit = absl::Minutes(1)) {
    world_.Run([this] { return ended_ == started_; }, limit);
  }
  void RunFor(absl::Duration time) { world_.RunFor(time); }
  // Until `done`; fails after a minute without.
  void RunUntil(const std::function<bool()>& done) {
    EXPECT_EQ(world_.Run(done, absl::Minutes(1)), testing::SimWorld::End::kDone);
  }

  testing::SimWorld world_{7};
  testing::SimNetwork network_{world_};
  testing::SimLoop proxy_loop_{world_, &network_};
  testing::SimLoop peer_loop_{world_, &network_};
  transport::Shared peers_{peer_loop_};
  CallBook book_;
  ListenerOptions listener_;
  route::TableBuilder tables_;
  bool proxy_tables_ready_ = false;
  std::unique_ptr<Proxy> proxy_;
  std::unique_ptr<testing::SimServer> one_, two_;
  std::vector<std::unique_ptr<testing::SimClient>> clients_;
  testing::SimClient* client_ = nullptr;
  std::vector<std::unique_ptr<RawPeer>> raw_servers_;
  std::vector<std::unique_ptr<RawPeer>> raw_clients_;
  std::function<void(RawPeer&)> on_raw_server_;
  size_t started_ = 0;
  size_t ended_ = 0;
};

}  // namespace pinion::proxy
