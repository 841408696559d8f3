// A version becomes active with its first instance that gets calls.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "pinion/registry/v1/records.pb.h"
#include "registry/service/draft.h"

namespace pinion::service {

struct Activation {
  std::vector<registry::v1::MovedExpression> moved;
  std::vector<std::string> channels;  // that it has made
};

// Expressions are resolved anew, and the service's first active version takes the channel `stable`,
// for the service's owner. FailedPrecondition: REQUIREMENT_ENDED. REQUIRES: it is published, and
// not active yet.
absl::StatusOr<Activation> ActivateByInstance(Draft& draft, registry::v1::VersionRecord record);

}  // namespace pinion::service
