// How a worker talks to instances. Defaults and their reasons: gateway/limits.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>

#include "absl/time/time.h"
#include "gateway/http2/options.h"
#include "gateway/upstream/tls.h"
#include "gateway/upstream_limits.h"

namespace pinion::upstream {

struct Options {
  http2::Options http2;
  absl::Duration connect_timeout = limits::kConnectTimeout;
  absl::Duration idle_timeout = limits::kUpstreamIdleTimeout;
  absl::Duration pending_max = limits::kPendingMax;
  // PING on a connection that has calls but was silent for so long; never unless set.
  absl::Duration keepalive_interval = absl::InfiniteDuration();
  absl::Duration keepalive_timeout = limits::kKeepaliveTimeout;
  size_t instance_connections_max = limits::kConnectionsPerInstanceMax;
  // Circuit breakers: of one version.
  size_t connections_max = limits::kConnectionsMax;
  size_t pending_calls_max = limits::kPendingCallsMax;
  size_t calls_max = std::numeric_limits<size_t>::max();
  size_t retries_min = limits::kRetriesMin;
  size_t retry_percent = limits::kRetryPercent;
  uint32_t outlier_failures = limits::kOutlierFailures;  // 0: nobody rests
  size_t outlier_percent_max = limits::kOutlierPercentMax;
  // Not null where an instance has a TLS name.
  std::shared_ptr<const TlsContexts> tls;
};

}  // namespace pinion::upstream
