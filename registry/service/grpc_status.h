// The registry's refusals on the wire: message, code, and the details of model/errors.h as
// google.rpc.Status in grpc-status-details-bin.
#pragma once

#include <grpcpp/support/status.h>

#include "absl/status/status.h"

namespace pinion::service {

grpc::Status ToGrpc(const absl::Status& status);

}  // namespace pinion::service
