#include "tests/sim/simulation.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "tests/sim/any_http2.h"

namespace pinion::sim {
namespace {

using testing::CallBook;
using testing::CutKind;
using testing::LinkPolicy;
using testing::MemoryStream;
using testing::SimClient;
using testing::SimServer;
using testing::SimWorld;

const net::Endpoint kGateway{.host = "10.0.0.1", .port = 80};
constexpr char kIdentityHeader[] = "x-consumer";

// Every call has ended by then, or something hangs: pending calls wait 10 s, connects 5 s each.
constexpr absl::Duration kCallsLimit = absl::Minutes(5);
constexpr absl::Duration kSettle = absl::Seconds(5);
// More turns than any scenario needs.
constexpr uint64_t kTurnsMax = 2'000'000;

}  // namespace

Simulation::Simulation(const Scenario& scenario, std::function<void(const std::string&)> trace)
    : scenario_(scenario),
      world_(scenario.seed),
      network_(world_),
      proxy_loop_(world_, &network_),
      peer_loop_(world_, &network_),
      policies_(world_.random().Fork()),
      peers_(peer_loop_),
      watcher_(facts_, book_),
      log_({}, world_.clock(), scenario.seed, [] {}) {
  facts_.scenario = &scenario;
  world_.set_trace(std::move(trace));
  world_.set_turns_max(kTurnsMax);
  world_.set_after_turn([this] { OnTurn(); });
  book_.set_listener([this](std::string_view who, std::string_view what, uint64_t call) {
    world_.Note(who, what, call);
  });
  network_.set_policy([this](const net::Endpoint& endpoint) { return DrawPolicy(endpoint); });
  BuildGateway();
  BuildInstances();
  slots_.resize(scenario.clients.size());
}

Simulation::~Simulation() = default;

void Simulation::BuildGateway() {
  listener_.name = "sim";
  listener_.identity_header = kIdentityHeader;
  listener_.trusted_peers.push_back(*net::Cidr::Parse("127.0.0.0/8"));
  listener_.http2 = scenario_.downstream;
  listener_.any_http2 = scenario_.any_http2;
  proxy::Options options;
  options.upstream.http2 = scenario_.upstream;
  options.seed = scenario_.seed;
  proxy_ = std::make_unique<proxy::Proxy>(proxy_loop_, std::move(options), &log_);
  network_.Listen(kGateway, proxy_loop_, [this](std::unique_ptr<net::ByteStream> stream) {
    proxy_->Accept(std::move(stream), listener_);
  });
}

void Simulation::BuildInstances() {
  for (size_t i = 0; i < scenario_.instances.size(); ++i) {
    const InstanceSpec& spec = scenario_.instances[i];
    servers_.push_back(std::make_unique<SimServer>(
        peers_,
        SimServer::Identity{spec.uid, NameOf(scenario_.versions[spec.version]), EndpointOf(i)},
        spec.http2, book_));
    if (!spec.starts_later) Listen(i);
  }
}

net::Endpoint Simulation::EndpointOf(size_t instance) const {
  return {.host = "10.0.0.2", .port = scenario_.instances[instance].port};
}

void Simulation::Listen(size_t instance) {
  network_.Listen(EndpointOf(instance), peer_loop_,
                  [server = servers_[instance].get()](std::unique_ptr<net::ByteStream> stream) {
                    server->Accept(std::move(stream));
                  });
}

LinkPolicy Simulation::DrawPolicy(const net::Endpoint& endpoint) {
  if (scenario_.weather == Weather::kFair) return LinkPolicy();
  LinkPolicy policy = testing::DrawLinkPolicy(policies_, scenario_.stall_max);
  if (scenario_.weather != Weather::kStorm || !policies_.OneIn(4)) return policy;
  if (endpoint == kGateway) {
    // Which client connects is only known to it; all are excused.
    for (size_t i = 0; i < slots_.size(); ++i) facts_.troubled_clients.insert(i);
    testing::DrawCut(policies_, policy, 300'000);
    return policy;
  }
  Trouble(endpoint);
  switch (policies_.Below(4)) {
    case 0:
      policy.connect = LinkPolicy::Connect::kRefuse;
      break;
    case 1:
      policy.connect = LinkPolicy::Connect::kNeverAnswer;
      break;
    default:
      testing::DrawCut(policies_, policy, 300'000);
      break;
  }
  return policy;
}

void Simulation::Trouble(const net::Endpoint& endpoint) {
  for (size_t i = 0; i < servers_.size(); ++i) {
    if (EndpointOf(i) == endpoint) facts_.troubled_instances.insert(i);
  }
}

void Simulation::Schedule() {
  ApplyTable(0);
  for (size_t i = 1; i < scenario_.tables.size(); ++i) {
    world_.After(scenario_.tables[i].at,
                 [this, i] { proxy_loop_.Post([this, i] { ApplyTable(i); }); });
  }
  for (const CallStart& call : scenario_.calls) {
    world_.After(call.at, [this, &call] { peer_loop_.Post([this, &call] { Start(call); }); });
  }
  for (const Event& event : scenario_.events) {
    world_.After(event.at, [this, &event] {
      testing::SimLoop& loop = event.kind == Event::Kind::kGatewayDrains ? proxy_loop_ : peer_loop_;
      loop.Post([this, &event] { Happen(event); });
    });
  }
}

void Simulation::Start(const CallStart& call) {
  CallBook::Entry& entry = book_.Add(call.plan);
  entry.plan.metadata.emplace_back("traceparent", LogBook::Traceparent(entry.plan.id));
  facts_.calls[entry.plan.id] = &call;
  watcher_.Watch(entry.plan.id);
  world_.Note(absl::StrCat("client ", call.client), "starts call", entry.plan.id);
  ++calls_started_;
  ClientOf(call.client).Start(entry);
}

SimClient& Simulation::ClientOf(size_t index) {
  Slot& slot = slots_[index];
  if (slot.clients.empty() || slot.clients.back()->closed() || slot.clients.back()->going_away()) {
    slot.clients.push_back(std::make_unique<SimClient>(
        peers_, network_.Connect(peer_loop_, kGateway), scenario_.clients[index],
        [this, index](CallBook::Entry& entry) {
          ReadGatewaysError(entry);
          world_.Note(absl::StrCat("client ", index), NameOf(entry.record.end), entry.plan.id);
          ++calls_ended_;
        }));
  }
  return *slot.clients.back();
}

void Simulation::OnTurn() {
  if (!findings_.empty()) return;
  watcher_.AfterTurn(world_.now(), findings_);
  log_book_.Read(log_.ring(), findings_);
  for (const std::string& complaint : book_.complaints()) Find(complaint);
}

Report Simulation::Run() {
  Schedule();
  RunCalls();
  Report report;
  facts_.retries_denied = proxy_->stats().retries_denied.value() > 0;
  for (auto& [id, entry] : book_.entries()) {
    if (!findings_.empty()) break;
    std::string how;
    if (auto finding = CheckEnd(facts_, entry, how)) Find(*finding);
    if (auto finding = CheckAttempts(facts_, entry)) Find(*finding);
    ++report.ends[how];
  }
  for (auto& [id, entry] : book_.entries()) {
    if (auto finding = log_book_.Check(entry)) Find(*finding);
  }
  if (log_book_.lines() != proxy_->stats().calls_total.value()) {
    Find(absl::StrCat(log_book_.lines(), " log lines of ", proxy_->stats().calls_total.value(),
                      " calls"));
  }
  if (findings_.empty()) RunDown();
  report.findings = findings_;
  report.turns = world_.turns();
  report.fingerprint = world_.fingerprint();
  return report;
}

// Until every call has its end, and every server knows.
void Simulation::RunCalls() {
  const auto attempts_ended = [this] {
    return std::all_of(servers_.begin(), servers_.end(),
                       [](const auto& server) { return server->active_streams() == 0; });
  };
  const auto calls_ended = [this] {
    return !findings_.empty() ||
           (calls_ended_ == scenario_.calls.size() && calls_started_ == calls_ended_);
  };
  const SimWorld::End end = world_.Run(calls_ended, kCallsLimit);
  if (!findings_.empty()) return;
  if (end != SimWorld::End::kDone) {
    for (auto& [id, entry] : book_.entries()) {
      if (entry.record.ends == 0) Find(absl::StrCat(Describe(entry), " never ended"));
    }
    return;
  }
  world_.Run(
      [&] {
        return !findings_.empty() || (attempts_ended() && proxy_->stats().calls.value() == 0);
      },
      kSlack);
  if (!findings_.empty()) return;
  // Whose connection broke hears of it in the meantime.
  world_.RunFor(kSettle);
  if (!attempts_ended()) Find("a server still runs a call that has ended for its client");
  if (proxy_->stats().calls.value() != 0) {
    Find(absl::StrCat("the gateway still counts ", proxy_->stats().calls.value(), " calls"));
  }
}

// Everybody leaves; nothing may stay behind.
void Simulation::RunDown() {
  proxy_loop_.Post([this] { proxy_->Drain(); });
  world_.Run([this] { return proxy_->idle() || !findings_.empty(); }, absl::Minutes(3));
  if (!proxy_->idle()) Find("the gateway does not come to an end after Drain()");
  // The idle timeouts of upstream connections, then nothing.
  const SimWorld::End end = world_.RunFor(absl::Hours(2));
  if (end != SimWorld::End::kQuiet) {
    Find(absl::StrCat("something goes on for ever: ", proxy_loop_.timers().size(),
                      " timers of the gateway, ", peer_loop_.timers().size(), " of the peers"));
  }
  if (proxy_loop_.timers().size() != 0) Find("a timer of the gateway is left");
  for (const auto& server : servers_) {
    if (server->connections() != 0) {
      Find(absl::StrCat("a connection to ", server->identity().uid, " is left"));
    }
  }
}

}  // namespace pinion::sim
