// The other side of the admin port, for commands of the operator: says one word to a gateway that
// runs. Any thread.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace pinion::admin {

// Tells the gateway whose admin port is `address` ("127.0.0.1:8082") that what `registry_id` says
// is taken over although it was refused. What it answers. Unavailable: nobody answers there.
// FailedPrecondition: the gateway says why not.
absl::StatusOr<std::string> Accept(const std::string& address, const std::string& registry_id);

}  // namespace pinion::admin
