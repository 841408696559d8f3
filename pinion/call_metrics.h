// The counters of ended calls and of limits that acted, summed over the workers, as the admin
// port's values. Thread-safe.
#pragma once

#include <vector>

#include "gateway/admin/metric.h"
#include "gateway/http2/limit_counters.h"
#include "gateway/proxy/stats.h"

namespace pinion {

// Label sets that count nothing are left out.
void AddCallMetrics(const std::vector<const proxy::Stats*>& workers,
                    std::vector<admin::MetricFamily>& families);

// One for each limit, whether it has acted or not.
admin::MetricFamily LimitMetrics(const std::vector<const http2::LimitCounters*>& workers);

}  // namespace pinion
