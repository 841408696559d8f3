// Moments as people write them when they plan ahead. Pure; any thread.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace pinion::cli {

// "2026-12-07T09:00:00+01:00", which names its zone, or in `zone`: "2026-12-07 09:00"; "09:00", the
// next time that it is that; "monday 09:00" or "mon 09:00", the next one. Seconds may follow. Not
// checked to be in the future if it has a date. A usage error otherwise, naming `flag`.
absl::StatusOr<absl::Time> ParseMoment(absl::string_view flag, absl::string_view text,
                                       absl::Time now, absl::TimeZone zone);

// "Mon 2026-12-07 09:00 CET"
std::string MomentText(absl::Time time, absl::TimeZone zone);

}  // namespace pinion::cli
