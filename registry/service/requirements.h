// What versions require of each other, as the store has it: checked when they are published, and
// from the moment they are active until they are retired kept under the service that is required,
// where whoever ends versions of it looks.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "registry/service/draft.h"

namespace pinion::service {

// The requirements of a request with canonical expressions. NotFound, InvalidArgument: an unknown
// service, an expression that cannot be meant.
absl::StatusOr<std::vector<registry::v1::Requirement>> CanonicalRequirements(
    Draft& draft, const registry::v1::PublishVersionRequest& request);

// FailedPrecondition: `version`, which is about to be published, could only be deployed after
// itself. The commit holds only if no version has come, since, to any service that this rests on.
absl::Status CheckAcyclic(Draft& draft, routing::v1::Scheme scheme,
                          const registry::v1::Version& version);

// Keeps what `version` requires, as it becomes active. FailedPrecondition, REQUIREMENT_ENDED: what
// satisfied a requirement is retired. The commit holds only if no version of the required services
// changes its state meanwhile.
absl::Status PutRequirementUses(Draft& draft, const registry::v1::Version& version);
// It is retired.
void DeleteRequirementUses(Draft& draft, const registry::v1::Version& version);

// The live versions, a thousand at most, that have a requirement on `service` which one of its
// versions `gone` matches, and which nothing would satisfy once these are retired and `activated`,
// if it is not empty, is active. Others may come: model::RequirementsOn() is what to watch.
absl::StatusOr<std::vector<registry::v1::RetirementBlocker>> NeededBy(
    Draft& draft, const std::string& service, const std::vector<std::string>& gone,
    const std::string& activated = "");

}  // namespace pinion::service
