// The life of a version, published → active → deprecated → sunset → retired: what each step asks
// of the version, and what it makes of it. Pure.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "google/protobuf/timestamp.pb.h"
#include "pinion/registry/v1/registry.pb.h"
#include "pinion/routing/v1/routing.pb.h"

namespace pinion::model {

// A URL that goes out with each answer of a deprecated version, and into refusals of 4 KiB.
inline constexpr size_t kMaxLinkBytes = 1024;

// Whether channels and ranges may lead to a version in this state.
bool CanBeChosen(routing::v1::VersionState state);

// Whether it is past its sunset, or retired.
bool HasEnded(routing::v1::VersionState state);

// "addressbook 1.0.0": as people write it.
std::string VersionText(const routing::v1::Version& version);

// "2027-03-01T09:00:00Z"
std::string UtcText(const google::protobuf::Timestamp& time);

// An http or https URL that a header can carry as it is; empty: none.
absl::Status ValidateLink(absl::string_view link);

// What can be told of the request alone.
absl::Status ValidateDeprecate(const registry::v1::DeprecateVersionRequest& request);

// Active for the first time. FailedPrecondition: it was so before, and is not now.
absl::StatusOr<routing::v1::Version> Activate(const routing::v1::Version& version);

// `version` as the request makes it at `now`; the successor is CheckSuccessor's to judge.
// InvalidArgument: the sunset is not after `now`, or before the deprecation. FailedPrecondition: it
// was never active, or is retired.
absl::StatusOr<routing::v1::Version> Deprecate(const routing::v1::Version& version,
                                               const registry::v1::DeprecateVersionRequest& request,
                                               const google::protobuf::Timestamp& now);

// Active again, and no word of deprecation. FailedPrecondition as above.
absl::StatusOr<routing::v1::Version> Reactivate(const routing::v1::Version& version);

// Whether `successor`, one of `all` versions of the service, can follow `version`.
// InvalidArgument: it is `version` itself, is followed by it in the end, or has ended already.
absl::Status CheckSuccessor(const routing::v1::Version& version, const std::string& successor,
                            const std::vector<routing::v1::Version>& all);

}  // namespace pinion::model
