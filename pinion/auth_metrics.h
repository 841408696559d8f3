// What the admin port shows of callers' tokens. Thread-safe.
#pragma once

#include <vector>

#include "absl/time/time.h"
#include "gateway/admin/metric.h"
#include "gateway/worker/gateway.h"

namespace pinion {

// `now`: monotonic.
void AddAuthMetrics(const worker::Gateway& gateway, absl::Time now,
                    std::vector<admin::MetricFamily>& families);

}  // namespace pinion
