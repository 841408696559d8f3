// What a registry tells monitoring of itself, as values: counters begin at zero with the process.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "registry/model/instance_checks.h"
#include "registry/service/call_counts.h"
#include "registry/store/measured_store.h"
#include "registry/store/store.h"

namespace pinion::service {

struct WatchCounts {
  int64_t watchers = 0;
  // Changes that concern routing and that the slowest of them was not sent yet.
  int64_t lag = 0;
  int64_t overtaken = 0;  // watchers that the changes kept had left behind, so far
};

struct InstanceCounts {
  // By verdict, and whether it gets no calls.
  std::map<std::pair<model::Verdict, bool>, int64_t> by_state;
  bool checking = false;  // this registry is the one that checks
  int64_t checks = 0;     // made so far
  int64_t waiting = 0;    // findings that are not written down yet
};

struct RegistryCounts {
  std::string registry_id;
  std::string store;  // as it describes itself to people
  store::Revision revision = 0;
  store::Revision compact_revision = 0;
  store::MeasuredStore::Commits commits;
  absl::Status last_commit;   // ResourceExhausted while the disk is full
  absl::Status housekeeping;  // its last round; Unavailable while the store is away
  int64_t jobs = 0;           // that have not ended
  std::map<CallCounts::Key, int64_t> calls;
  WatchCounts watch;
  InstanceCounts instances;
  // Calls that were refused, where access is configured.
  int64_t unauthenticated = 0;
  int64_t denied = 0;
};

}  // namespace pinion::service
