// What versions require of versions of other services, and what the steps of a database end: which
// declarations can be meant, when a requirement is satisfied, and what stands in the way. Pure.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "pinion/registry/v1/records.pb.h"
#include "pinion/registry/v1/registry.pb.h"
#include "registry/model/resolutions.h"
#include "registry/version/expression.h"

namespace pinion::model {

// Each is a key of an index and two compares in the transaction that makes the version active.
inline constexpr int kMaxRequirements = 32;
// Steps that one step ends, and what is written of them in the transaction that activates it: the
// record and its audit, and what each requires.
inline constexpr size_t kMaxEnded = 16;
inline constexpr int kMaxEndedWrites = 64;

bool IsDatabase(const registry::v1::Service& service);
// API is what services are that do not say: those made before there were databases.
registry::v1::Service::Kind KindOf(registry::v1::Service::Kind kind);

// "db/people <3": as people write it.
std::string RequirementText(const registry::v1::Requirement& requirement);

// FailedPrecondition: the service is a database, which takes no calls; `what` is what calls go by:
// "pins", "channels", "instances".
absl::Status CheckTakesCalls(const registry::v1::Service& service, absl::string_view what);

// Number, names, and that no service is required twice: what can be told of the request alone.
absl::Status ValidateRequirements(const registry::v1::PublishVersionRequest& request);

// What a publication may say under the kind of its service. InvalidArgument: a database's step with
// a schema, or another version with `ends`.
absl::Status CheckKind(const registry::v1::Service& service,
                       const registry::v1::PublishVersionRequest& request);

// The expression of a requirement on `required`. InvalidArgument: PIN_MALFORMED, or
// REQUIREMENT_INVALID: a channel, or a range that nothing could ever match.
absl::StatusOr<version::Expression> ParseRequirement(const routing::v1::Service& required,
                                                     const registry::v1::Requirement& requirement);

// What the step `name` of `service` ends, other steps. InvalidArgument as above.
absl::StatusOr<version::Expression> ParseEnds(const routing::v1::Service& service,
                                              const version::VersionName& name,
                                              const std::string& text);

// Whether the requirement is satisfied by one of `versions`, all of the service `required`, and if
// not, what there is instead and what to do.
registry::v1::RequirementCheck CheckRequirement(const registry::v1::Service& required,
                                                const VersionList& versions,
                                                const registry::v1::Requirement& requirement,
                                                const version::Expression& expression);

// Whether a version that matches is retired, and none can be chosen: what was required has ended.
bool RequirementEnded(const VersionList& versions, const version::Expression& expression);

// Whether `expression` matches one of `gone`, and nothing satisfies it in `after`, the service's
// versions once these are retired.
bool Loses(const version::Expression& expression, const std::vector<std::string>& gone,
           const VersionList& after);

// That `use` keeps a version of `required`.
registry::v1::RetirementBlocker RequirementBlocker(absl::string_view required,
                                                   const registry::v1::RequirementUse& use);

}  // namespace pinion::model
