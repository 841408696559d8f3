// Counts the calls of a gRPC server, whichever of its services answers.
#pragma once

#include <grpcpp/support/server_interceptor.h>

#include <memory>
#include <vector>

#include "registry/service/call_counts.h"

namespace pinion::service {

// For ServerBuilder. `counts` outlives the server.
std::vector<std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface>> CountCallsInto(
    CallCounts& counts);

}  // namespace pinion::service
