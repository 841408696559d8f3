// Calls that do not speak gRPC, on a listener that forwards any HTTP/2: what differs for them. The
// gateway's own errors come as JSON before the answer's headers and as a reset after them; what the
// instance says passes as it is.
#pragma once

#include <optional>
#include <string>

#include "tests/testing/call_plan.h"

namespace pinion::sim {

// What the gateway said as JSON is written down as if it had been Trailers-Only, so that the same
// rules hold for it. Once, when the call has ended.
void ReadGatewaysError(testing::CallBook::Entry& entry);

// How an HTTP error of the instance, and its reset after the headers, must be seen.
std::optional<std::string> HttpErrorDiffers(const testing::CallBook::Entry& entry);
std::optional<std::string> LateResetDiffers(const testing::CallBook::Entry& entry);

}  // namespace pinion::sim
