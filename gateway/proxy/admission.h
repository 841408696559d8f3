// What a request must be before anybody asks where it goes: gRPC, and with a deadline that makes
// sense. Pure.
#pragma once

#include <optional>

#include "absl/time/time.h"
#include "gateway/proxy/errors.h"
#include "gateway/proxy/request.h"

namespace pinion::proxy {

// Why a request is no gRPC call, said in a form that its caller understands.
std::optional<CallError> ProtocolFault(const RequestHead& head);

struct Deadline {
  absl::Time at = absl::InfiniteFuture();         // without one
  std::optional<CallError> fault = std::nullopt;  // malformed, or over before it began
};

// Of a call whose headers arrived at `started`; `longest` caps what it asks for.
Deadline ReadDeadline(const RequestHead& head, absl::Time started,
                      std::optional<absl::Duration> longest);

// What a call is told whose deadline passes while it runs.
CallError DeadlinePassed();

// What a call is told that the gateway has no memory for.
CallError OutOfMemory();

}  // namespace pinion::proxy
