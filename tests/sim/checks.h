// What must hold of the calls of a run: after every turn, and at the end. Pure functions of what
// was planned, what happened to the network, and what the peers recorded.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "tests/sim/model.h"
#include "tests/sim/scenario.h"
#include "tests/testing/call_plan.h"

namespace pinion::sim {

// What excuses a call that did not end as planned. Written down when the cause happens.
struct Facts {
  const Scenario* scenario = nullptr;
  // (when the gateway had it, the table)
  std::vector<std::pair<absl::Time, TableState>> tables;
  // Instances whose connections may break or be refused, and slots of clients likewise.
  std::set<size_t> troubled_instances;
  std::set<size_t> troubled_clients;
  std::map<uint64_t, const CallStart*> calls;  // by id
  bool retries_denied = false;                 // by the budget or the throttle, some time

  // The tables that the call can have met, and what they decided.
  std::vector<const TableState*> TablesFor(const testing::CallBook::Entry& entry) const;
  std::vector<Decision> DecisionsFor(const testing::CallBook::Entry& entry) const;
  bool Troubled(size_t version) const;
};

// Nothing the network does in a scenario holds a byte back for longer, all its pauses together.
inline constexpr absl::Duration kSlack = absl::Seconds(30);

// Looks at all calls that still run. Findings are sentences; empty while everything holds.
class Watcher {
 public:
  Watcher(const Facts& facts, testing::CallBook& book) : facts_(facts), book_(book) {}

  void Watch(uint64_t call) { running_.insert(call); }
  void AfterTurn(absl::Time now, std::vector<std::string>& findings);

 private:
  bool Check(testing::CallBook::Entry& entry, absl::Time now, std::vector<std::string>& findings);
  size_t ResponseBytesMax() const;
  size_t RequestBytesMax() const;

  const Facts& facts_;
  testing::CallBook& book_;
  std::set<uint64_t> running_;
};

// The call ended just as planned: status, bytes and metadata.
// Otherwise why not.
std::optional<std::string> DiffersFromPlan(const testing::CallBook::Entry& entry,
                                           const std::string& version);

// Nullopt: the way in which the call ended is allowed, and `how` names it.
std::optional<std::string> CheckEnd(const Facts& facts, const testing::CallBook::Entry& entry,
                                    std::string& how);

// Nullopt: every attempt saw what the client sent.
std::optional<std::string> CheckAttempts(const Facts& facts, const testing::CallBook::Entry& entry);

// "call 7 (echo, ...)": for findings.
std::string Describe(const testing::CallBook::Entry& entry);

}  // namespace pinion::sim
