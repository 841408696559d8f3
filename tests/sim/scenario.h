// Everything that one seed decides beforehand: who is there, what they do and when, and what goes
// wrong. A value; the same seed gives the same scenario.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "gateway/http2/options.h"
#include "tests/sim/model.h"
#include "tests/testing/call_plan.h"
#include "tests/testing/random.h"

namespace pinion::sim {

struct InstanceSpec {
  std::string uid;
  size_t version = 0;
  uint16_t port = 0;
  http2::Options http2;
  bool starts_later = false;  // at the port of one that stopped: see kInstanceStarts
};

struct TableChange {
  absl::Duration at;
  TableState table;
};

struct Event {
  enum class Kind : uint8_t {
    kInstanceDies,     // its connections are cut and new ones refused
    kInstanceReturns,  // accepts again
    kInstanceStops,    // for good: accepts no more, but its connections go on
    kInstanceStarts,   // where another one stopped
    kGoAway,           // graceful
    kGoAwayAtOnce,     // with the highest id seen
    kLowerMaxStreams,  // to `number`
    kClientCut,        // the connection of a client breaks
    kClientCloses,
    kGatewayDrains,
  };
  absl::Duration at;
  Kind kind;
  size_t target = 0;  // instance or client
  uint32_t number = 0;
};

struct CallStart {
  absl::Duration at;
  size_t client = 0;
  Wanted wanted;
  testing::CallPlan plan;
};

// The service's retry policy.
struct RetrySpec {
  int attempts_max = 1;
  std::set<int> codes;
};

// How unfriendly the network is.
enum class Weather : uint8_t {
  kFair,   // whole segments, no loss
  kRough,  // splits, delays, stalls, small buffers; no loss
  kStorm,  // and cuts, refused connections, dying instances
};

struct Scenario {
  uint64_t seed = 0;
  Weather weather = Weather::kFair;
  absl::Duration stall_max;
  std::vector<VersionSpec> versions;
  std::vector<InstanceSpec> instances;
  std::vector<std::string> consumers;
  std::vector<TableChange> tables;  // by time; the first one at zero
  std::vector<http2::Options> clients;
  http2::Options downstream;  // what the gateway allows its callers
  http2::Options upstream;    // and its instances
  bool any_http2 = false;     // the listener forwards requests of any content type
  bool round_robin = false;
  std::optional<RetrySpec> retry;
  std::vector<CallStart> calls;
  std::vector<Event> events;
};

Scenario DrawScenario(uint64_t seed);

// What is drawn apart from the rest, after it.
void DrawExtras(uint64_t seed, Scenario& scenario);

// One call; its time and its client are still to be decided.
CallStart DrawCall(testing::Random& random, const Scenario& scenario, uint64_t number);

}  // namespace pinion::sim
