// Server reflection of the gateway: for each service the version that this caller would get,
// merged. Source: gRPC "Server Reflection Protocol", v1 and v1alpha.
#pragma once

#include <memory>

#include "gateway/builtin/call.h"

namespace pinion::builtin {

std::unique_ptr<Call> Reflection(Context context, Sink& sink);

}  // namespace pinion::builtin
