// Whether a version that is to be published could only be deployed after itself. Pure.
//
// Of the versions that have not ended, one can be deployed when each of its requirements has a
// candidate that can, or none at all yet: the least such set. The new version is on a cycle if it
// is not among them, but would be if others could count on it. So it may need what nobody has
// published yet, and a mutual need that an older version satisfies is no cycle.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "pinion/registry/v1/registry.pb.h"
#include "registry/version/version_name.h"

namespace pinion::model {

// A version and what it requires; the expressions were validated.
struct RequiringVersion {
  std::string service;
  version::VersionName name;
  std::vector<registry::v1::Requirement> requirements;
};

// The versions of a service that have not ended.
using VersionsLoader =
    std::function<absl::StatusOr<std::vector<RequiringVersion>>(const std::string& service)>;

// Bounds on the search: versions that it comes to, and names that it holds against expressions. The
// requirements of a thousand services stay far below; at the bounds it takes some tenths of a
// second.
inline constexpr size_t kMaxSearchedVersions = 10'000;
inline constexpr size_t kMaxSearchedMatches = 1'000'000;

// OK: it is on no cycle. FailedPrecondition, REQUIREMENT_CYCLIC: it is; the message names the way
// back to it. ResourceExhausted: the bounds above. `load` is asked once for each service that the
// search comes to, and need not know `asked`; its errors are passed on.
absl::Status CheckAcyclic(const RequiringVersion& asked, const VersionsLoader& load);

}  // namespace pinion::model
