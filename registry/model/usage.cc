#include "registry/model/usage.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/proto_duration.h"
#include "base/status_macros.h"
#include "registry/model/errors.h"
#include "registry/model/validate.h"
#include "registry/version/names.h"

namespace pinion::model {
namespace {

using registry::v1::ReportGatewayRequest;
using registry::v1::UsageRecord;
using registry::v1::UsageTotal;

constexpr int64_t kHourSeconds = 3600;
constexpr size_t kMaxStartIdBytes = 32;
// No path of a call is longer.
constexpr size_t kMaxMethodBytes = 8 * 1024;

absl::Status Invalid(absl::string_view message) {
  return Refusal(absl::StatusCode::kInvalidArgument, "ARGUMENT_INVALID", message);
}

absl::Status ValidateNames(absl::string_view service, absl::string_view version) {
  RETURN_IF_ERROR(ValidateText("service", service, version::kMaxServiceNameBytes));
  return ValidateText("version", version, version::kMaxVersionNameBytes);
}

bool IsHex(absl::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

UsageRecord::Row* Find(UsageRecord& record, const std::string& consumer, const std::string& method,
                       bool others) {
  for (UsageRecord::Row& row : *record.mutable_rows()) {
    if (row.others() == others && row.consumer() == consumer && row.method() == method) return &row;
  }
  return nullptr;
}

// The row of these, or that of all others if there is no room for it.
UsageRecord::Row& RowOf(UsageRecord& record, const std::string& consumer, const std::string& method,
                        bool others) {
  if (UsageRecord::Row* row = Find(record, consumer, method, others)) return *row;
  // One more than these: that of the others.
  if (!others && record.rows_size() >= kMaxUsageRows) return RowOf(record, "", "", true);
  UsageRecord::Row& row = *record.add_rows();
  row.set_consumer(consumer);
  row.set_method(method);
  row.set_others(others);
  return row;
}

void Extend(int64_t first, int64_t last, UsageTotal& total) {
  if (!total.has_first_seen() || first < total.first_seen().seconds()) {
    total.mutable_first_seen()->set_seconds(first);
  }
  total.mutable_last_seen()->set_seconds(std::max(last, total.last_seen().seconds()));
}

}  // namespace

absl::Status ValidateReport(const ReportGatewayRequest& report) {
  RETURN_IF_ERROR(ValidateText("gateway_id", report.gateway_id(), kMaxActorBytes));
  const std::string& start = report.start_id();
  if (start.empty() || start.size() > kMaxStartIdBytes || !IsHex(start)) {
    return Invalid(absl::StrCat("start_id is 1 to ", kMaxStartIdBytes, " digits 0-9a-f"));
  }
  if (report.sequence() < 1) return Invalid("sequence begins at 1");
  if (!IsDuration(report.interval()) || FromProto(report.interval()) < absl::ZeroDuration()) {
    return Invalid("interval is no time that can pass");
  }
  if (report.usage_size() > kMaxReportRows || report.open_calls_size() > kMaxReportRows) {
    return Invalid(absl::StrCat("at most ", kMaxReportRows, " rows at once"));
  }
  for (const registry::v1::UsageRow& row : report.usage()) {
    RETURN_IF_ERROR(ValidateNames(row.service(), row.version()));
    RETURN_IF_ERROR(ValidateText("consumer", row.consumer(), version::kMaxConsumerNameBytes));
    RETURN_IF_ERROR(ValidateText("method", row.method(), kMaxMethodBytes));
    if (row.calls() < 1) return Invalid("calls is at least 1");
    if (!IsDuration(row.since_last()) || FromProto(row.since_last()) < absl::ZeroDuration()) {
      return Invalid("since_last is no time that has passed");
    }
  }
  for (const registry::v1::OpenCalls& open : report.open_calls()) {
    RETURN_IF_ERROR(ValidateNames(open.service(), open.version()));
  }
  return absl::OkStatus();
}

int64_t HourOf(int64_t seconds) { return seconds / kHourSeconds; }

void AddUsage(const registry::v1::UsageRow& row, int64_t last, UsageRecord& record) {
  const bool named = !row.others() && row.method().size() <= kMaxUsageMethodBytes;
  UsageRecord::Row& sum =
      RowOf(record, row.others() ? "" : row.consumer(), named ? row.method() : "", row.others());
  sum.set_calls(sum.calls() + row.calls());
  if (sum.first_seen() == 0 || last < sum.first_seen()) sum.set_first_seen(last);
  sum.set_last_seen(std::max(last, sum.last_seen()));
}

void UsageTotals::Add(const VersionRef& version, const UsageRecord& record) {
  for (const UsageRecord::Row& row : record.rows()) {
    const bool asked =
        (!request_.has_consumer() || (request_.consumer() == row.consumer() && !row.others())) &&
        (request_.method().empty() || request_.method() == row.method());
    if (!asked) continue;
    Key key(version.service, version.version, row.consumer(), row.method(), row.others());
    auto found = totals_.find(key);
    if (found == totals_.end()) {
      if (totals_.size() == kMaxUsageTotals) {
        more_ = true;
        continue;
      }
      UsageTotal total;
      total.set_service(version.service);
      total.set_version(version.version);
      total.set_consumer(row.consumer());
      total.set_method(row.method());
      total.set_others(row.others());
      found = totals_.emplace(std::move(key), std::move(total)).first;
    }
    UsageTotal& total = found->second;
    total.set_calls(total.calls() + row.calls());
    Extend(row.first_seen(), row.last_seen(), total);
  }
}

registry::v1::ListUsageResponse UsageTotals::Take() const {
  registry::v1::ListUsageResponse response;
  for (const auto& [key, total] : totals_) *response.add_totals() = total;
  response.set_more(more_);
  return response;
}

std::vector<CallerUse> CallersOf(const std::vector<UsageRecord>& records, int64_t since) {
  std::map<std::pair<bool, std::string>, CallerUse> callers;
  std::map<std::pair<bool, std::string>, std::set<std::string>> methods;
  for (const UsageRecord& record : records) {
    for (const UsageRecord::Row& row : record.rows()) {
      if (row.last_seen() <= since) continue;
      const std::pair<bool, std::string> who(row.others(), row.consumer());
      CallerUse& use = callers[who];
      use.consumer = row.consumer();
      use.others = row.others();
      use.calls += row.calls();
      methods[who].insert(row.method());
      if (row.last_seen() <= use.last_seen) continue;
      use.last_seen = row.last_seen();
      use.last_method = row.method();
    }
  }
  std::vector<CallerUse> all;
  for (auto& [who, use] : callers) {
    use.other_methods = static_cast<int64_t>(methods[who].size()) - 1;
    all.push_back(std::move(use));
  }
  return all;
}

}  // namespace pinion::model
