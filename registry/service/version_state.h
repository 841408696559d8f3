// A version that changes its state, and what follows from that for the expressions of its service.
#pragma once

#include <vector>

#include "absl/status/statusor.h"
#include "registry/service/draft.h"

namespace pinion::service {

// Puts `record`, whose version is in another state than the store says, and resolves the service's
// expressions anew. Those that mean another version now, with the number of their pins.
absl::StatusOr<std::vector<registry::v1::MovedExpression>> PutChangedState(
    Draft& draft, const registry::v1::VersionRecord& record);

}  // namespace pinion::service
