#include "gateway/watch/gateway_reports.h"

#include <algorithm>

#include "base/proto_duration.h"
#include "gateway/watch_limits.h"

namespace pinion::watch {
namespace {

using registry::v1::ReportGatewayRequest;

// Those after which the same report may be taken, or may have been.
bool MayBeTakenLater(const absl::Status& status) {
  return absl::IsUnavailable(status) || absl::IsDeadlineExceeded(status) ||
         absl::IsAborted(status) || absl::IsCancelled(status) || absl::IsResourceExhausted(status);
}

}  // namespace

void GatewayReports::Count::Add(const Count& more) {
  calls += more.calls;
  last = std::max(last, more.last);
}

void GatewayReports::WakeWith(std::function<void()> wake) {
  absl::MutexLock lock(&mutex_);
  wake_ = std::move(wake);
}

absl::Time GatewayReports::collection_due() const {
  absl::MutexLock lock(&mutex_);
  return next_collection_;
}

int64_t GatewayReports::BeginCollection(int64_t revision, absl::Time now) {
  absl::MutexLock lock(&mutex_);
  MergeArrived();
  next_collection_ = now + options_.interval;
  collecting_ = {.number = collecting_.number + 1,
                 .revision = revision,
                 .missing = options_.workers,
                 .open = {}};
  return collecting_.number;
}

void GatewayReports::Add(int64_t collection, route::Usage usage) {
  absl::MutexLock lock(&mutex_);
  arrived_.push_back(std::move(usage.rows));
  if (collection != collecting_.number || collecting_.missing == 0) return;
  for (route::OpenCalls& open : usage.open) {
    collecting_.open[{std::move(open.service), std::move(open.version)}] += open.calls;
  }
  if (--collecting_.missing > 0) return;
  collected_ = collecting_;
  unsaid_ = true;
  if (wake_ != nullptr) wake_();
}

void GatewayReports::MergeArrived() {
  for (std::vector<route::UsageRow>& rows : arrived_) {
    for (route::UsageRow& row : rows) {
      AddRow({std::move(row.service), std::move(row.version), std::move(row.consumer),
              std::move(row.method), row.others},
             {row.calls, row.last});
    }
  }
  arrived_.clear();
}

void GatewayReports::AddRow(Key key, const Count& count) {
  if (const auto known = rows_.find(key); known != rows_.end()) return known->second.Add(count);
  if (!key.others && rows_.size() >= limits::kUsageRowsKept) {
    return AddRow({std::move(key.service), std::move(key.version), "", "", true}, count);
  }
  if (rows_.size() >= limits::kUsageRowsKept + limits::kUsageVersionsKept) {
    counts_.dropped_calls += static_cast<int64_t>(count.calls);
    return;
  }
  rows_.emplace(std::move(key), count);
}

std::optional<ReportGatewayRequest> GatewayReports::TakeReport(absl::Time now) {
  absl::MutexLock lock(&mutex_);
  MergeArrived();
  if (under_way_ || now < next_report_) return std::nullopt;
  if (!sent_) {
    if (!collected_ || (rows_.empty() && !unsaid_)) return std::nullopt;
    sent_ = {.sequence = ++last_sequence_, .rows = {}, .state = *collected_};
    unsaid_ = false;
    while (!rows_.empty() && sent_->rows.size() < limits::kUsageRowsPerReport) {
      auto row = rows_.extract(rows_.begin());
      sent_->rows.emplace_back(std::move(row.key()), row.mapped());
    }
  }
  under_way_ = true;
  return ToMessage(*sent_, now);
}

ReportGatewayRequest GatewayReports::ToMessage(const Report& report, absl::Time now) const {
  ReportGatewayRequest message;
  message.set_start_id(options_.start_id);
  message.set_sequence(report.sequence);
  message.set_revision(report.state.revision);
  *message.mutable_interval() = ToProto(options_.interval);
  for (const auto& [key, count] : report.rows) {
    registry::v1::UsageRow& row = *message.add_usage();
    row.set_service(key.service);
    row.set_version(key.version);
    row.set_consumer(key.consumer);
    row.set_method(key.method);
    row.set_others(key.others);
    row.set_calls(static_cast<int64_t>(count.calls));
    *row.mutable_since_last() = ToProto(std::max(now - count.last, absl::ZeroDuration()));
  }
  for (const auto& [version, calls] : report.state.open) {
    if (message.open_calls_size() == static_cast<int>(limits::kOpenVersionsPerReport)) {
      message.set_more_open_calls(true);
      break;
    }
    registry::v1::OpenCalls& open = *message.add_open_calls();
    open.set_service(version.first);
    open.set_version(version.second);
    open.set_calls(static_cast<int64_t>(calls));
  }
  return message;
}

absl::Time GatewayReports::due() const {
  absl::MutexLock lock(&mutex_);
  const bool some = sent_.has_value() ||
                    (collected_.has_value() && (unsaid_ || !rows_.empty() || !arrived_.empty()));
  return some && !under_way_ ? next_report_ : absl::InfiniteFuture();
}

void GatewayReports::Answer(const absl::Status& status, absl::Time now) {
  absl::MutexLock lock(&mutex_);
  under_way_ = false;
  if (MayBeTakenLater(status)) {
    next_report_ = now + limits::kReportRetry;
    return;
  }
  if (status.ok()) {
    ++counts_.taken;
  } else {
    ++counts_.refused;
    for (const auto& row : sent_->rows) {
      counts_.dropped_calls += static_cast<int64_t>(row.second.calls);
    }
  }
  sent_.reset();
}

GatewayReports::Counts GatewayReports::counts() const {
  absl::MutexLock lock(&mutex_);
  Counts counts = counts_;
  size_t waiting = rows_.size() + (sent_ ? sent_->rows.size() : 0);
  for (const auto& rows : arrived_) waiting += rows.size();
  counts.waiting_rows = static_cast<int64_t>(waiting);
  return counts;
}

}  // namespace pinion::watch
