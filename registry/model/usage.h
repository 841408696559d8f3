// How often a version was called, by whom and how, as gateways report it: what is kept of an hour,
// and what many hours say together. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "google/protobuf/timestamp.pb.h"
#include "pinion/registry/v1/records.pb.h"
#include "pinion/registry/v1/registry.pb.h"
#include "pinion/registry/v1/watch.pb.h"
#include "registry/model/keys.h"

namespace pinion::model {

// Two weeks of hours: long enough to see what comes once a week.
inline constexpr absl::Duration kUsageRetention = absl::Hours(14 * 24);
// Who calls a version no more after a long weekend has left it.
inline constexpr absl::Duration kUsageWindow = absl::Hours(72);
// (consumer, method) that are told apart in one hour of one version; the rest is counted together.
// A full record is 350 KiB, so that four fit into a transaction of the store.
inline constexpr int kMaxUsageRows = 500;
inline constexpr size_t kMaxUsageMethodBytes = 512;  // a longer one is counted without its name
inline constexpr int kMaxReportRows = 500;           // of usage, and of open calls
inline constexpr size_t kMaxUsageTotals = 10'000;

// InvalidArgument: what no gateway says.
absl::Status ValidateReport(const registry::v1::ReportGatewayRequest& report);

// Since the epoch. `seconds` too, and not negative.
int64_t HourOf(int64_t seconds);

// Adds to the hour of `last` what a gateway says of calls, the last of which began then (seconds
// since the epoch).
void AddUsage(const registry::v1::UsageRow& row, int64_t last, registry::v1::UsageRecord& record);

// The sums of many hours by (service, version, consumer, method).
class UsageTotals {
 public:
  // Of rows that the request's consumer and method allow.
  explicit UsageTotals(const registry::v1::ListUsageRequest& request) : request_(request) {}

  void Add(const VersionRef& version, const registry::v1::UsageRecord& record);
  // By service, version, consumer, method; the first kMaxUsageTotals that came.
  registry::v1::ListUsageResponse Take() const;

 private:
  using Key = std::tuple<std::string, std::string, std::string, std::string, bool>;

  const registry::v1::ListUsageRequest& request_;
  std::map<Key, registry::v1::UsageTotal> totals_;
  bool more_ = false;
};

// What one caller did with one version.
struct CallerUse {
  std::string consumer;  // empty: unregistered
  bool others = false;   // of several that are not told apart
  int64_t calls = 0;
  int64_t last_seen = 0;      // seconds since the epoch
  std::string last_method;    // empty: not known
  int64_t other_methods = 0;  // that it called too
};

// Of those seen after `since` (seconds since the epoch), by consumer.
std::vector<CallerUse> CallersOf(const std::vector<registry::v1::UsageRecord>& records,
                                 int64_t since);

}  // namespace pinion::model
