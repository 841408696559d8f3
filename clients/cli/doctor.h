// What `pinion doctor` makes of what it was told: one judgement a subject. Pure; any thread.
#pragma once

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "pinion/command/v1/doctor.pb.h"
#include "pinion/registry/v1/access.pb.h"
#include "pinion/registry/v1/registry.pb.h"

namespace pinion::cli {

command::v1::Check MakeCheck(absl::string_view name, command::v1::Check::Level level,
                             absl::string_view found, absl::string_view advice = "");

// A certificate or a token: `what` is good until `expiry`.
command::v1::Check CheckExpiry(absl::string_view name, absl::string_view what, absl::Time expiry,
                               absl::Time now);
// The registry's clock, read between two moments of ours.
command::v1::Check CheckClock(absl::Time asked, absl::Time answered, absl::Time registry);
command::v1::Check CheckVersions(absl::string_view program,
                                 const registry::v1::GetStatusResponse& status);
command::v1::Check CheckStore(const registry::v1::GetStatusResponse& status);
command::v1::Check CheckGateways(const registry::v1::GetStatusResponse& status);
command::v1::Check CheckInstances(const registry::v1::GetStatusResponse& status);
command::v1::Check CheckAccess(const registry::v1::WhoAmIResponse& who, absl::Time now);

// OK if there are none.
command::v1::Check::Level Worst(const std::vector<command::v1::Check>& checks);

}  // namespace pinion::cli
