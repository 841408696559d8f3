// How a worker talks to instances. Defaults and their reasons: gateway/limits.h.
#pragma once

#include <cstddef>

#include "absl/time/time.h"
#include "gateway/http2/options.h"
#include "gateway/limits.h"

namespace pinion::upstream {

struct Options {
  http2::Options http2;
  absl::Duration connect_timeout = limits::kConnectTimeout;
  absl::Duration idle_timeout = limits::kUpstreamIdleTimeout;
  absl::Duration pending_max = limits::kPendingMax;
  size_t pending_calls_max = limits::kPendingCallsMax;          // of one instance
  size_t connections_max = limits::kConnectionsPerInstanceMax;  // to one instance
};

}  // namespace pinion::upstream
