// What the admin port shows of the control plane: the registry's counts as the port's own values.
// Pure.
#pragma once

#include <vector>

#include "gateway/admin/metric.h"
#include "gateway/admin/sources.h"
#include "registry/service/registry_counts.h"

namespace pinion {

void AppendMetrics(const service::RegistryCounts& counts,
                   std::vector<admin::MetricFamily>& families);

admin::RegistryStatus StatusOf(const service::RegistryCounts& counts);

}  // namespace pinion
