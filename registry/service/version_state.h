// A version that changes its state, and what follows from that for the expressions of its service.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "registry/service/draft.h"

namespace pinion::service {

// What becomes of a version, and what is said of that in the audit log.
struct VersionChange {
  routing::v1::Version after = {};
  absl::string_view command;
  std::string reason;
  std::string overridden = {};
};

// Empty: the version has no sunset ahead.
std::string SunsetKeyOf(const routing::v1::Version& version);

// Makes of `record` what `change` says, with all that follows; what it says already is no change.
absl::StatusOr<registry::v1::VersionStateResponse> ChangeVersion(Draft& draft,
                                                                 registry::v1::VersionRecord record,
                                                                 const VersionChange& change);

// Puts `record`, a version that becomes active, and what it requires. As PutChangedState().
// FailedPrecondition, REQUIREMENT_ENDED: what satisfied a requirement of it is retired.
absl::StatusOr<std::vector<registry::v1::MovedExpression>> PutActive(
    Draft& draft, registry::v1::VersionRecord& record);

// Puts `record`, whose version is in another state than the store says, and resolves the service's
// expressions anew. Those that mean another version now, with the number of their pins.
absl::StatusOr<std::vector<registry::v1::MovedExpression>> PutChangedState(
    Draft& draft, const registry::v1::VersionRecord& record);

}  // namespace pinion::service
