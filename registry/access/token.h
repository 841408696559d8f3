// Tokens of the registry: how they look, and how long they are good. Pure.
#pragma once

#include "absl/time/time.h"

namespace pinion::access {

// By which they are told from JWTs, and found by whoever searches files for secrets.
inline constexpr char kTokenPrefix[] = "pinion_";

inline constexpr absl::Duration kDefaultTokenTtl = absl::Hours(24 * 90);
// Somebody should look at a token once a year.
inline constexpr absl::Duration kMaxTokenTtl = absl::Hours(24 * 366);

}  // namespace pinion::access
