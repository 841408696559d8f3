// grpc.health.v1.Health of the gateway. Source: gRPC "Health Checking Protocol".
//
// "" is the gateway's own readiness: it has a route table with a service. A gRPC service name is
// healthy when the version that this caller would get has an instance, and not when his calls would
// be refused; unknown names are NOT_FOUND (Check) or SERVICE_UNKNOWN (Watch).
#pragma once

#include <memory>

#include "gateway/builtin/call.h"

namespace pinion::builtin {

std::unique_ptr<Call> HealthCheck(Context context, Sink& sink);
// Sends at once, and again whenever the answer changes.
std::unique_ptr<Call> HealthWatch(Context context, Sink& sink);

}  // namespace pinion::builtin
