// A refusal as gRPC carries it. Pure.
#pragma once

#include <string>

#include "absl/status/status.h"

namespace pinion::model {

// The code, the message and all payloads as a serialised google.rpc.Status, of which
// grpc-status-details-bin is made; payloads by their type URLs. REQUIRES: an error.
std::string StatusDetails(const absl::Status& status);

}  // namespace pinion::model
