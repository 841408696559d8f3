// Why a gateway does not take over what a registry says: values that Watcher, RoutingState and
// whoever shows them share.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace pinion::watch {

enum class RefusalReason {
  kOtherRegistry,  // the id is not that of the registry that is followed
  kLowerRevision,  // the registry knows less than this gateway has seen
  kLostInstances,  // most instances would be gone at once
  kInvalid,        // it cannot be routed by, or does not follow from what came before
};
inline constexpr size_t kRefusalReasons = 4;

// As metrics say it: "other_registry".
constexpr absl::string_view RefusalName(RefusalReason reason) {
  constexpr absl::string_view kNames[kRefusalReasons] = {"other_registry", "lower_revision",
                                                         "lost_instances", "invalid"};
  return kNames[static_cast<size_t>(reason)];
}

struct Refusal {
  RefusalReason reason = RefusalReason::kInvalid;
  // What Watcher::Accept() takes. Empty: no word helps, only a change at the registry.
  std::vector<std::string> registry_ids;
  std::string address;  // where it came from
};

}  // namespace pinion::watch
