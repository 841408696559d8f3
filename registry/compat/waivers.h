// Findings that somebody has decided to live with, for a while. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "pinion/compat/v1/waiver.pb.h"
#include "registry/compat/finding.h"

namespace pinion::compat {

using v1::Waiver;

// InvalidArgument: a field is missing, the rule is none, or the expiry is no date; says which
// waiver and what to write.
absl::Status ValidateWaiver(const Waiver& waiver);

// The first moment at which it does not count any more. REQUIRES: valid.
absl::Time ExpiryOf(const Waiver& waiver);

// Two versions and the time at which they are compared.
struct WaiverScope {
  // Names; nullopt: it is not known which versions are compared, so any waiver's are right.
  std::optional<std::string> from;
  std::optional<std::string> to;
  absl::Time now;
};

struct Waived {
  std::vector<Finding> remaining;
  struct Match {
    Finding finding;
    Waiver waiver;
  };
  std::vector<Match> waived;
};

// A waiver that has expired leaves its finding, whose message then says so. REQUIRES: valid
// waivers.
Waived ApplyWaivers(std::vector<Finding> findings, const std::vector<Waiver>& waivers,
                    const WaiverScope& scope);

}  // namespace pinion::compat
