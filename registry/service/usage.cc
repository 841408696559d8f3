// Operations on usage: sums over hours, and the end of hours that are too old.
#include "registry/model/usage.h"

#include <utility>

#include "base/proto_duration.h"
#include "registry/model/errors.h"
#include "registry/model/keys.h"
#include "registry/service/lookups.h"
#include "registry/service/operations.h"

namespace pinion::service {
namespace {

constexpr size_t kForgottenAtOnce = 100;

// The first of the hours that have a part in the last `window`.
int64_t FirstHour(const Draft& draft, absl::Duration window) {
  const int64_t since = draft.now().seconds() - absl::ToInt64Seconds(window);
  return model::HourOf(std::max<int64_t>(since, 0));
}

// All records under `prefix`, page by page: those of an hour may be many.
absl::Status AddAll(Draft& draft, const std::string& prefix, const v1::ListUsageRequest& request,
                    model::UsageTotals& totals) {
  PageRequest page{.size = kMaxPage};
  do {
    ASSIGN_OR_RETURN(const store::RangeResult found, draft.PageOf(prefix, page));
    for (const store::KeyValue& kv : found.kvs) {
      const std::optional<model::VersionRef> version = model::ParseUsage(kv.key);
      if (!version.has_value()) return model::Damaged(kv.key);
      if (!request.version().empty() && request.version() != version->version) continue;
      ASSIGN_OR_RETURN(const Stored<v1::UsageRecord> record, Decode<v1::UsageRecord>(kv));
      totals.Add(*version, record.value);
    }
    page.token = found.more ? found.kvs.back().key.substr(prefix.size()) : "";
  } while (!page.token.empty());
  return absl::OkStatus();
}

// A slip of the pen is not "nobody calls it".
absl::Status CheckNames(Draft& draft, const v1::ListUsageRequest& request) {
  if (request.service().empty()) {
    if (request.version().empty()) return absl::OkStatus();
    return model::Refusal(absl::StatusCode::kInvalidArgument, "ARGUMENT_INVALID",
                          "a version is one of a service: name that too");
  }
  if (request.version().empty()) return RequireService(draft, request.service()).status();
  return RequireVersion(draft, request.service(), request.version()).status();
}

}  // namespace

absl::StatusOr<v1::ListUsageResponse> ListUsage(Draft& draft, const v1::ListUsageRequest& request) {
  RETURN_IF_ERROR(CheckNames(draft, request));
  if (!request.consumer().empty()) {
    RETURN_IF_ERROR(RequireConsumer(draft, request.consumer()).status());
  }
  absl::Duration window = model::kUsageRetention;
  if (request.has_within()) window = std::min(window, FromProto(request.within()));
  if (window < absl::ZeroDuration()) {
    return model::Refusal(absl::StatusCode::kInvalidArgument, "ARGUMENT_INVALID",
                          "within is a time that has passed, not one to come");
  }
  model::UsageTotals totals(request);
  const int64_t last = model::HourOf(draft.now().seconds());
  for (int64_t hour = FirstHour(draft, window); hour <= last; ++hour) {
    RETURN_IF_ERROR(AddAll(draft, model::UsageOf(hour, request.service()), request, totals));
  }
  return totals.Take();
}

absl::StatusOr<std::vector<model::CallerUse>> CallersWithin(Draft& draft,
                                                            const model::VersionRef& version,
                                                            absl::Duration window) {
  std::vector<v1::UsageRecord> records;
  const int64_t last = model::HourOf(draft.now().seconds());
  for (int64_t hour = FirstHour(draft, window); hour <= last; ++hour) {
    const std::string key = model::UsageKey(hour, version.service, version.version);
    ASSIGN_OR_RETURN(const store::RangeResult found,
                     draft.Range({.range = store::KeyRange::Single(key)}));
    ASSIGN_OR_RETURN(auto decoded, DecodeAll<v1::UsageRecord>(found.kvs));
    for (auto& record : decoded) records.push_back(std::move(record.value));
  }
  return model::CallersOf(records, draft.now().seconds() - absl::ToInt64Seconds(window));
}

absl::Status ForgetOldUsage(Registry& registry) {
  const int64_t now = absl::ToUnixSeconds(registry.clock().Wall());
  const int64_t oldest = model::HourOf(now - absl::ToInt64Seconds(model::kUsageRetention));
  ASSIGN_OR_RETURN(const store::RangeResult old,
                   registry.store().Range({.range = {model::kUsage, model::UsageOf(oldest, "")},
                                           .limit = kForgottenAtOnce,
                                           .keys_only = true}));
  if (old.kvs.empty()) return absl::OkStatus();
  store::Txn txn;
  for (const store::KeyValue& kv : old.kvs) txn.then.push_back(store::Delete{kv.key});
  return registry.store().Commit(std::move(txn)).status();
}

}  // namespace pinion::service
