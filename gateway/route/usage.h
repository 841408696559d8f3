// What calls used of the versions they were routed to, as workers count it and the registry is told
// it. Values; cross from a worker to the watcher.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/time/time.h"

namespace pinion::route {

struct UsageRow {
  std::string service;
  std::string version;
  std::string consumer;  // empty: unregistered
  std::string method;    // full path; empty: one that no version of the service declares
  bool others = false;   // of what found no row of its own: consumer and method are empty
  uint64_t calls = 0;
  absl::Time last;  // when the last of them began, monotonic
};

// Calls of one version that run now.
struct OpenCalls {
  std::string service;
  std::string version;
  uint64_t calls = 0;
};

struct Usage {
  std::vector<UsageRow> rows;   // of calls that began since the last time
  std::vector<OpenCalls> open;  // of versions that are not active; none that is 0
};

}  // namespace pinion::route
