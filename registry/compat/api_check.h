// PINION, the category of this project: what breaks for whoever calls the old API when the new one
// answers. Pure.
#pragma once

#include <vector>

#include "absl/status/statusor.h"
#include "registry/compat/check.h"
#include "registry/compat/elements.h"
#include "registry/compat/finding.h"

namespace pinion::compat {

// Services that are served, and their methods, are paired by name, which is what is called; from
// there requests and responses are compared by structure, each in its direction (exchange.h).
// Messages that no method uses (payloads of google.protobuf.Any, topics, tables) are paired by name
// and compared in both; not those of services that are not served, nor of custom options, which
// never travel. ResourceExhausted: that would cost more than kMaxSteps (exchange.h).
absl::StatusOr<std::vector<Finding>> CheckApi(const Elements& before, const Elements& now,
                                              const Served& served);

}  // namespace pinion::compat
