// What the admin port shows of TLS. Thread-safe.
#pragma once

#include <vector>

#include "absl/time/time.h"
#include "gateway/admin/metric.h"
#include "gateway/worker/gateway.h"

namespace pinion {

// All of it, whether TLS is used or not. `now`: wall clock.
void AddTlsMetrics(const worker::Gateway& gateway, absl::Time now,
                   std::vector<admin::MetricFamily>& families);

}  // namespace pinion
