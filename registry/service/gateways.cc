// Operations on gateways: who reports, and forgetting one that does not any more.
#include <algorithm>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "registry/model/keys.h"
#include "registry/model/validate.h"
#include "registry/service/lookups.h"
#include "registry/service/operations.h"

namespace pinion::service {
namespace {

// What a gateway has said is shown so long after it was last heard, and a report that it sends
// again is known.
constexpr int64_t kKeptSeconds = 24 * 3600;
constexpr size_t kForgottenAtOnce = 100;

v1::Gateway ToGateway(const v1::GatewayRecord& record, bool live) {
  v1::Gateway gateway;
  gateway.set_gateway_id(record.gateway_id());
  gateway.set_start_id(record.start_id());
  gateway.set_peer(record.peer());
  gateway.set_live(live);
  gateway.set_revision(record.table_revision());
  *gateway.mutable_report_time() = record.report_time();
  *gateway.mutable_open_calls() = record.open_calls();
  gateway.set_more_open_calls(record.more_open_calls());
  return gateway;
}

// Start ids of those that are heard.
absl::StatusOr<absl::flat_hash_set<std::string>> Heard(Draft& draft) {
  ASSIGN_OR_RETURN(const std::vector<std::string> starts, draft.NamesUnder(model::kGatewayLeases));
  return absl::flat_hash_set<std::string>(starts.begin(), starts.end());
}

}  // namespace

absl::StatusOr<v1::ListGatewaysResponse> ListGateways(Draft& draft,
                                                      const v1::ListGatewaysRequest&) {
  ASSIGN_OR_RETURN(const auto heard, Heard(draft));
  ASSIGN_OR_RETURN(auto records, draft.All<v1::GatewayRecord>(model::kGateways));
  std::sort(records.begin(), records.end(), [](const auto& a, const auto& b) {
    const int by_id = a.value.gateway_id().compare(b.value.gateway_id());
    return by_id < 0 || (by_id == 0 && a.revision > b.revision);
  });
  v1::ListGatewaysResponse response;
  for (const auto& record : records) {
    *response.add_gateways() = ToGateway(record.value, heard.contains(record.value.start_id()));
  }
  return response;
}

absl::StatusOr<std::vector<v1::GatewayRecord>> LiveGateways(Draft& draft) {
  ASSIGN_OR_RETURN(const auto heard, Heard(draft));
  ASSIGN_OR_RETURN(auto records, draft.All<v1::GatewayRecord>(model::kGateways));
  std::vector<v1::GatewayRecord> live;
  for (auto& record : records) {
    if (heard.contains(record.value.start_id())) live.push_back(std::move(record.value));
  }
  return live;
}

absl::StatusOr<v1::ForgetGatewayResponse> ForgetGateway(Draft& draft,
                                                        const v1::ForgetGatewayRequest& request) {
  RETURN_IF_ERROR(model::ValidateText("reason", request.reason(), model::kMaxReasonBytes));
  ASSIGN_OR_RETURN(const auto heard, Heard(draft));
  ASSIGN_OR_RETURN(const auto records, draft.All<v1::GatewayRecord>(model::kGateways));
  v1::ForgetGatewayResponse response;
  std::vector<std::string> names;
  for (const auto& record : records) {
    const std::string& start = record.value.start_id();
    names.push_back(record.value.gateway_id());
    // More starts of one gateway within a day than fit into a transaction go next time.
    if (record.value.gateway_id() != request.gateway_id() ||
        response.forgotten_size() == static_cast<int>(kForgottenAtOnce) / 2) {
      continue;
    }
    draft.Delete(model::GatewayKey(start));
    if (heard.contains(start)) draft.Delete(model::GatewayLeaseKey(start));
    *response.add_forgotten() = ToGateway(record.value, heard.contains(start));
  }
  if (response.forgotten().empty()) {
    return model::UnknownName("GATEWAY_UNKNOWN", "gateway", request.gateway_id(), names,
                              "`pinion gateway list` shows those that report");
  }
  draft.Audit("gateway.forget", request.gateway_id(), &response.forgotten(0), nullptr,
              request.reason());
  return response;
}

absl::Status ForgetOldGateways(Registry& registry) {
  const Caller caller{.actor = "registry"};
  Draft draft(registry, caller);
  ASSIGN_OR_RETURN(const auto heard, Heard(draft));
  ASSIGN_OR_RETURN(const auto records, draft.All<v1::GatewayRecord>(model::kGateways));
  store::Txn txn;
  for (const auto& record : records) {
    const v1::GatewayRecord& gateway = record.value;
    const bool old = draft.now().seconds() - gateway.report_time().seconds() > kKeptSeconds;
    if (!old || heard.contains(gateway.start_id())) continue;
    const std::string key = model::GatewayKey(gateway.start_id());
    txn.compares.push_back(store::Compare::Unchanged(key, record.revision));
    txn.then.push_back(store::Delete{key});
    if (txn.then.size() == kForgottenAtOnce) break;
  }
  if (txn.then.empty()) return absl::OkStatus();
  return registry.store().Commit(std::move(txn)).status();
}

}  // namespace pinion::service
