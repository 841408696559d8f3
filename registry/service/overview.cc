// Reading across objects: the audit log, the registry's state, and what decides where one
// consumer's calls go.
#include <algorithm>

#include "absl/strings/match.h"
#include "registry/model/errors.h"
#include "registry/model/keys.h"
#include "registry/model/projection.h"
#include "registry/model/store_format.h"
#include "registry/service/audit_log.h"
#include "registry/service/lookups.h"
#include "registry/service/operations.h"

namespace pinion::service {
namespace {

// A page of a filtered log reads at most this many records; an emptier page than asked for has a
// token all the same.
constexpr int kMaxRecordsScanned = 10'000;

// The service that owns a gRPC service.
absl::StatusOr<std::string> OwnerOf(Draft& draft, const std::string& grpc_service) {
  const std::string key = model::GrpcServiceKey(grpc_service);
  ASSIGN_OR_RETURN(const auto claim, draft.Get<v1::Claim>(key));
  if (claim.has_value()) return claim->value.owner();
  ASSIGN_OR_RETURN(const auto names, draft.NamesUnder(model::GrpcServiceKey("")));
  return model::UnknownName("SERVICE_UNKNOWN", "gRPC service", grpc_service, names,
                            "publish a version that has it, or correct the name");
}

absl::Status AppendAll(Draft& draft, const store::KeyRange& range,
                       std::vector<routing::v1::Resource>& resources) {
  ASSIGN_OR_RETURN(const store::RangeResult found, draft.Range({.range = range}));
  for (const store::KeyValue& kv : found.kvs) {
    RETURN_IF_ERROR(model::AppendResources(kv.key, kv.value, resources));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<v1::ListAuditRecordsResponse> ListAuditRecords(
    Draft& draft, const v1::ListAuditRecordsRequest& request) {
  v1::ListAuditRecordsResponse response;
  const int wanted =
      request.page_size() > 0 ? std::min(request.page_size(), kMaxPage) : kDefaultPage;
  std::string token = request.page_token();
  for (int scanned = 0; scanned < kMaxRecordsScanned;) {
    ASSIGN_OR_RETURN(
        const Page<v1::AuditRecord> page,
        draft.List<v1::AuditRecord>(model::kAudit, {kMaxPage, token, /*newest_first=*/true}));
    for (const auto& record : page.records) {
      ++scanned;
      token = record.value.id();
      const bool matches = (request.actor().empty() || record.value.actor() == request.actor()) &&
                           absl::StrContains(record.value.object(), request.object_contains());
      if (matches) *response.add_records() = record.value;
      if (response.records_size() == wanted) {
        response.set_next_page_token(token);
        return response;
      }
    }
    if (page.next_token.empty()) return response;
  }
  response.set_next_page_token(token);
  return response;
}

absl::StatusOr<v1::GetStatusResponse> GetStatus(Draft& draft, const v1::GetStatusRequest&) {
  Registry& registry = draft.registry();
  v1::GetStatusResponse status;
  ASSIGN_OR_RETURN(const v1::RegistryIdentity identity,
                   ReadIdentity(registry.store(), draft.revision()));
  *status.mutable_restored_from() = identity.restored_from();
  ASSIGN_OR_RETURN(const auto format, draft.Get<v1::StoreFormat>(model::kFormatKey));
  *status.mutable_store_format() =
      format.has_value() ? format->value : model::FormatWithoutRecord();
  status.set_newest_store_format(model::kStoreFormat);
  status.set_store_error(std::string(registry.store().last_commit().message()));
  status.set_registry_id(registry.id());
  status.set_revision(draft.revision());
  status.set_compact_revision(registry.store().compact_revision());
  status.set_store(registry.store().Describe());
  *status.mutable_start_time() = ToTimestamp(registry.start_time());
  *status.mutable_time() = draft.now();
  ASSIGN_OR_RETURN(const int64_t services, draft.Count(model::kServices));
  ASSIGN_OR_RETURN(const int64_t versions, draft.Count(model::kVersions));
  ASSIGN_OR_RETURN(const auto instances, draft.All<v1::Instance>(model::kInstances));
  ASSIGN_OR_RETURN(const int64_t consumers, draft.Count(model::kConsumers));
  ASSIGN_OR_RETURN(const int64_t pins, draft.Count(model::kPins));
  status.set_services(services);
  status.set_versions(versions);
  status.set_instances(static_cast<int64_t>(instances.size()));
  status.set_instances_held_back(
      std::count_if(instances.begin(), instances.end(),
                    [](const auto& instance) { return instance.value.check().held_back(); }));
  status.set_consumers(consumers);
  status.set_pins(pins);
  ASSIGN_OR_RETURN(v1::ListGatewaysResponse gateways, ListGateways(draft, {}));
  for (v1::Gateway& gateway : *gateways.mutable_gateways()) {
    if (!gateway.live()) *status.add_silent_gateways() = std::move(gateway);
  }
  return status;
}

absl::StatusOr<v1::GetRoutingResponse> GetRouting(Draft& draft,
                                                  const v1::GetRoutingRequest& request) {
  std::string service = request.service();
  if (service.empty()) {
    ASSIGN_OR_RETURN(service, OwnerOf(draft, request.grpc_service()));
  }
  RETURN_IF_ERROR(RequireService(draft, service).status());
  const std::string& consumer = request.consumer();
  if (!consumer.empty()) RETURN_IF_ERROR(RequireConsumer(draft, consumer).status());

  v1::GetRoutingResponse response;
  response.set_revision(draft.revision());
  std::vector<routing::v1::Resource> resources;
  std::vector<store::KeyRange> ranges = {
      store::KeyRange::Single(model::ServiceKey(service)),
      store::KeyRange::Prefix(model::VersionsOf(service)),
      store::KeyRange::Prefix(model::ChannelsOf(service)),
      store::KeyRange::Single(model::ResolutionsKey(service)),
      store::KeyRange::Prefix(model::InstancesOf(service, "")),
  };
  if (!consumer.empty()) {
    ranges.push_back(store::KeyRange::Single(model::ConsumerKey(consumer)));
    ranges.push_back(store::KeyRange::Single(model::EntitlementKey(consumer, service)));
    ranges.push_back(store::KeyRange::Prefix(model::PinsOf(consumer, service)));
  }
  for (const store::KeyRange& range : ranges) {
    RETURN_IF_ERROR(AppendAll(draft, range, resources));
  }
  for (routing::v1::Resource& resource : resources) *response.add_resources() = std::move(resource);
  return response;
}

}  // namespace pinion::service
