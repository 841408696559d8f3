// One run of one scenario: the real gateway code on one loop, callers and instances on another,
// the network between them, and the invariants after every turn. One thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "gateway/proxy/proxy.h"
#include "gateway/route/table_builder.h"
#include "tests/sim/checks.h"
#include "tests/sim/log_book.h"
#include "tests/sim/scenario.h"
#include "tests/testing/sim_client.h"
#include "tests/testing/sim_network.h"
#include "tests/testing/sim_server.h"

namespace pinion::sim {

struct Report {
  std::vector<std::string> findings;  // empty: everything held
  uint64_t fingerprint = 0;
  uint64_t turns = 0;
  std::map<std::string, uint64_t> ends;  // how calls ended → how many
};

class Simulation {
 public:
  // `trace` gets a line for each thing that happens; may be null. `scenario` outlives it.
  Simulation(const Scenario& scenario, std::function<void(const std::string&)> trace);
  ~Simulation();

  Report Run();

 private:
  // A client and those that it replaces when its connection is over.
  struct Slot {
    std::vector<std::unique_ptr<testing::SimClient>> clients;
    bool disturbed = false;  // a connection of it broke, closed, or was told to go
  };

  void BuildGateway();
  void BuildInstances();
  void Schedule();
  testing::LinkPolicy DrawPolicy(const net::Endpoint& endpoint);
  void ApplyTable(size_t index);
  void PutInstance(size_t index, bool present);
  void Start(const CallStart& call);
  testing::SimClient& ClientOf(size_t index);
  void Happen(const Event& event);
  void Listen(size_t instance);
  // Whatever runs at the endpoint may fail from now on.
  void Trouble(const net::Endpoint& endpoint);
  void OnTurn();

  void RunCalls();
  void RunDown();
  void Find(std::string what) { findings_.push_back(std::move(what)); }
  net::Endpoint EndpointOf(size_t instance) const;

  const Scenario& scenario_;
  testing::SimWorld world_;
  testing::SimNetwork network_;
  testing::SimLoop proxy_loop_;
  testing::SimLoop peer_loop_;
  testing::Random policies_;
  transport::Shared peers_;
  testing::CallBook book_;
  Facts facts_;
  Watcher watcher_;
  proxy::ListenerOptions listener_;
  access_log::Sink log_;
  LogBook log_book_;
  std::unique_ptr<proxy::Proxy> proxy_;
  route::TableBuilder tables_;
  TableState applied_;
  std::vector<std::unique_ptr<testing::SimServer>> servers_;
  std::set<size_t> stopped_;
  std::vector<Slot> slots_;
  size_t calls_started_ = 0;
  size_t calls_ended_ = 0;
  std::vector<std::string> findings_;
};

}  // namespace pinion::sim
