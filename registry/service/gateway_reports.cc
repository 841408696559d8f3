// Taking over what gateways report: how often versions were called, and which of their calls still
// run. Nobody has decided any of it, so there are no audit records; and gateways do not watch it.
#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/proto_duration.h"
#include "registry/model/keys.h"
#include "registry/model/usage.h"
#include "registry/service/operations.h"

namespace pinion::service {
namespace {

// A gateway is waited for so long after it was last heard: three of its intervals, and not less
// than a restart of the registry or a short breakdown of the network takes.
constexpr int kLeaseIntervals = 3;
constexpr absl::Duration kMinLease = absl::Seconds(90);
// What says nothing new makes no revision, but for one so often.
constexpr int64_t kQuietSeconds = 300;
// Records of usage in one transaction, and the bytes after which no further one is begun: with the
// rows that are added and the gateway's own record this stays below the store's limits.
constexpr size_t kRecordsAtOnce = 32;
constexpr size_t kBytesAtOnce = 512 * 1024;

struct Report {
  const v1::ReportGatewayRequest& request;
  const std::string& peer;
  store::LeaseId new_lease = 0;  // 0: it has one already
};

// What one transaction has made of a report.
struct Part {
  bool taken = false;  // something of it
  bool whole = false;  // nothing is left
};

absl::StatusOr<bool> Exists(Draft& draft, const std::string& key) {
  ASSIGN_OR_RETURN(const store::RangeResult found,
                   draft.Range({.range = store::KeyRange::Single(key), .keys_only = true}));
  return !found.kvs.empty();
}

// Adds rows from `next` on to the hours of their versions, as many as one transaction holds: the
// first that is left. Those of versions that there are not any more are passed over.
absl::StatusOr<int> TakeRows(Draft& draft, const v1::ReportGatewayRequest& request, int next) {
  std::map<std::string, v1::UsageRecord> records;
  size_t bytes = 0;
  for (; next < request.usage_size(); ++next) {
    const v1::UsageRow& row = request.usage(next);
    const int64_t age = absl::ToInt64Seconds(FromProto(row.since_last()));
    const int64_t last = std::max<int64_t>(draft.now().seconds() - age, 0);
    const std::string key = model::UsageKey(model::HourOf(last), row.service(), row.version());
    auto record = records.find(key);
    if (record == records.end()) {
      if (records.size() == kRecordsAtOnce || bytes > kBytesAtOnce) break;
      ASSIGN_OR_RETURN(const bool known,
                       Exists(draft, model::VersionKey(row.service(), row.version())));
      if (!known) continue;
      ASSIGN_OR_RETURN(auto stored, draft.Get<v1::UsageRecord>(key));
      record =
          records.emplace(key, stored.has_value() ? std::move(stored->value) : v1::UsageRecord())
              .first;
      bytes += record->second.ByteSizeLong();
    }
    model::AddUsage(row, last, record->second);
  }
  for (auto& [key, record] : records) draft.Put(key, std::move(record));
  return next;
}

// Whether `record` says all that `request` does, as of lately.
bool SaysAllOf(const v1::GatewayRecord& record, const v1::ReportGatewayRequest& request,
               int64_t now) {
  if (request.usage_size() > 0 || record.table_revision() != request.revision()) return false;
  if (record.more_open_calls() != request.more_open_calls()) return false;
  if (now - record.report_time().seconds() >= kQuietSeconds) return false;
  return std::equal(
      record.open_calls().begin(), record.open_calls().end(), request.open_calls().begin(),
      request.open_calls().end(), [](const v1::OpenCalls& a, const v1::OpenCalls& b) {
        return a.service() == b.service() && a.version() == b.version() && a.calls() == b.calls();
      });
}

absl::StatusOr<Part> TakePart(Draft& draft, const Report& report) {
  const v1::ReportGatewayRequest& request = report.request;
  draft.AllowUnaudited();
  if (report.new_lease != 0) {
    draft.PutBytes(model::GatewayLeaseKey(request.start_id()), "", report.new_lease);
  }
  const std::string key = model::GatewayKey(request.start_id());
  ASSIGN_OR_RETURN(const auto there, draft.Get<v1::GatewayRecord>(key));
  v1::GatewayRecord record;
  if (there.has_value()) record = there->value;
  const bool begun = record.sequence() == request.sequence();
  const bool done = begun && record.rows_taken() >= request.usage_size();
  if (done || record.sequence() > request.sequence()) return Part{.taken = false, .whole = true};
  if (there.has_value() && SaysAllOf(record, request, draft.now().seconds())) {
    return Part{.taken = true, .whole = true};
  }
  ASSIGN_OR_RETURN(const int next, TakeRows(draft, request, begun ? record.rows_taken() : 0));
  record.set_gateway_id(request.gateway_id());
  record.set_start_id(request.start_id());
  record.set_peer(report.peer);
  record.set_sequence(request.sequence());
  record.set_rows_taken(next);
  *record.mutable_report_time() = draft.now();
  record.set_table_revision(request.revision());
  *record.mutable_interval() = request.interval();
  *record.mutable_open_calls() = request.open_calls();
  record.set_more_open_calls(request.more_open_calls());
  draft.Put(key, record);
  return Part{.taken = true, .whole = next == request.usage_size()};
}

// Renews the lease by which the gateway counts as heard; a new one if that has run out, else 0.
absl::StatusOr<store::LeaseId> RenewLease(store::Store& store,
                                          const v1::ReportGatewayRequest& request) {
  const std::string key = model::GatewayLeaseKey(request.start_id());
  ASSIGN_OR_RETURN(const store::RangeResult found,
                   store.Range({.range = store::KeyRange::Single(key)}));
  if (!found.kvs.empty()) {
    const absl::Status renewed = store.RenewLease(found.kvs[0].lease).status();
    if (!absl::IsNotFound(renewed)) {
      RETURN_IF_ERROR(renewed);
      return 0;
    }
  }
  const absl::Duration ttl = std::max(FromProto(request.interval()) * kLeaseIntervals, kMinLease);
  return store.GrantLease(std::min(ttl, store::kMaxLeaseTtl));
}

}  // namespace

absl::StatusOr<v1::ReportGatewayResponse> ReportGateway(Registry& registry, const std::string& peer,
                                                        const v1::ReportGatewayRequest& request) {
  RETURN_IF_ERROR(model::ValidateReport(request));
  const Caller caller{.actor = absl::StrCat("gateway/", request.gateway_id())};
  Report report{.request = request, .peer = peer};
  ASSIGN_OR_RETURN(report.new_lease, RenewLease(registry.store(), request));
  v1::ReportGatewayResponse response;
  while (true) {
    ASSIGN_OR_RETURN(const Part part, Run(registry, TakePart, caller, report));
    response.set_taken(response.taken() || part.taken);
    if (part.whole) return response;
    report.new_lease = 0;
  }
}

}  // namespace pinion::service
