// grpc-timeout, the deadline of a call on the wire: at most eight digits and a unit. Pure.
// Source: gRPC over HTTP/2, "Timeout".
#pragma once

#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace pinion::proxy {

// Nullopt: malformed (no digit, more than eight, an unknown unit).
std::optional<absl::Duration> ParseGrpcTimeout(absl::string_view text);

// The longest value that is not longer than `timeout`, in the finest unit that holds it. Not
// positive: "0n".
std::string FormatGrpcTimeout(absl::Duration timeout);

}  // namespace pinion::proxy
