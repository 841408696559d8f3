// Durable pin changes a second, through one registry or several on one store.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "registry/service/registry.h"

namespace pinion::service {

struct PinChanges {
  int64_t made = 0;
  int64_t refused = 0;
  // Of one change, in milliseconds.
  double p50 = 0;
  double p99 = 0;
};

// Publishes the service and adds the consumers. REQUIRES: the store is empty.
absl::Status PreparePins(Registry& registry);

// `callers` threads, spread over `registries`, change pins of one service for so many seconds; each
// has consumers of its own, as consumers have pins of their own. Errors after the first, which is
// printed, are only counted.
PinChanges ChangePins(const std::vector<Registry*>& registries, int callers, int seconds);

// "64 callers: 1234 durable pin changes a second …", and a line's end.
void PrintPinChanges(const PinChanges& changes, int callers, int seconds);

}  // namespace pinion::service
