// What the admin port shows of the data plane: the table in force and the counters, as the port's
// own values. Thread-safe.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "gateway/admin/sources.h"
#include "gateway/route/route_table.h"
#include "gateway/watch/watcher.h"
#include "gateway/worker/gateway.h"

namespace pinion {

// The table that new calls use, and since when.
class TableInForce {
 public:
  void Set(std::shared_ptr<const route::RouteTable> table);
  // `watch`: where the table came from; nullopt: from a file.
  admin::TableStatus Status(const std::optional<watch::WatchStatus>& watch) const;

 private:
  mutable absl::Mutex mutex_;
  std::shared_ptr<const route::RouteTable> table_ ABSL_GUARDED_BY(mutex_);
  absl::Time since_ ABSL_GUARDED_BY(mutex_);
};

// Everything that is counted.
std::vector<admin::MetricFamily> Metrics(const worker::Gateway& gateway,
                                         const std::optional<watch::WatchStatus>& watch);

}  // namespace pinion
