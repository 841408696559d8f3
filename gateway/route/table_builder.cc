#include "gateway/route/table_builder.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "base/proto_duration.h"
#include "base/status_macros.h"
#include "gateway/route/consumer_builder.h"
#include "gateway/route/cow_list.h"
#include "gateway/route/service_builder.h"
#include "registry/version/names.h"

namespace pinion::route {
namespace {

using routing::v1::Change;
using routing::v1::Resource;

// The longest drain that a slot holds; nobody waits for a stream that long.
constexpr absl::Duration kDrainMax = absl::Hours(365 * 24);

absl::Status CheckPin(const routing::v1::Pin& pin) {
  if (pin.consumer().empty() || pin.consumer().size() > version::kMaxConsumerNameBytes) {
    return absl::InvalidArgumentError(absl::StrCat("a pin for `", pin.service(),
                                                   "` needs a consumer's name of 1 to ",
                                                   version::kMaxConsumerNameBytes, " bytes"));
  }
  if (!pin.method().empty() && !ParseMethodPath(pin.method())) {
    return absl::InvalidArgumentError(
        absl::StrCat("the method `", Printable(pin.method()), "` of a pin of `",
                     Printable(pin.consumer()), "` is not a path; write /package.Service/Method"));
  }
  const absl::Duration drain = FromProto(pin.drain());
  if (drain < absl::ZeroDuration() || drain > kDrainMax) {
    return absl::InvalidArgumentError(
        absl::StrCat("the drain of a pin of `", Printable(pin.consumer()), "` must be from 0 to ",
                     absl::FormatDuration(kDrainMax)));
  }
  return absl::OkStatus();
}

}  // namespace

class TableBuilder::Impl {
 public:
  absl::Status Put(const Resource& resource);
  absl::Status Delete(const Resource& resource);
  // Of the consumer that `resource` is, or is a pin of.
  void PrefetchSlot(const Resource& resource) const;
  void PrefetchRecord(const Resource& resource) const;
  void Clear();
  std::shared_ptr<const RouteTable> Build();
  void PutSchema(const std::string& digest, std::string file_descriptor_set);

 private:
  struct InstancePlace {
    uint32_t service;
    std::string version;
  };

  ServiceBuilder* FindService(const std::string& name);
  // Made when first mentioned. REQUIRES: a valid name.
  ServiceBuilder& InternService(const std::string& name);
  absl::StatusOr<ServiceBuilder*> ServiceOf(const std::string& name);

  absl::Status PutService(const routing::v1::Service& service);
  absl::Status PutInstance(const routing::v1::Instance& instance);
  absl::Status PutPin(const routing::v1::Pin& pin);
  void DeleteService(const std::string& name);
  void DeleteInstance(const std::string& uid);
  void DeletePin(const routing::v1::Pin& pin);

  absl::Status CheckClaims(const routing::v1::Service& service, const ServiceBuilder* owner) const;
  void ReleaseClaims(uint32_t service);
  void PutDrain(const PinSlot& pin, const routing::v1::Pin& resource);
  void BuildIndexes();

  ConsumerBuilder consumers_;
  std::vector<std::unique_ptr<ServiceBuilder>> services_;  // by id
  std::vector<uint32_t> changed_services_;                 // to be compiled for the next table
  CowList<std::shared_ptr<const ServiceEntry>> entries_;   // by id; of the others
  absl::flat_hash_map<std::string, uint32_t> service_ids_;
  absl::flat_hash_map<std::string, uint32_t> claims_;          // gRPC service → id of its service
  absl::flat_hash_map<std::string, InstancePlace> instances_;  // by uid
  CowSlots<PinSlot> pins_;
  CowSlots<DrainSlot> drains_;

  bool indexes_changed_ = true;
  std::shared_ptr<const RouteTable::GrpcIndex> grpc_index_;
  std::shared_ptr<const RouteTable::NameIndex> name_index_;

  // Outlives Clear(), as do the ids: what a digest stands for never changes.
  std::shared_ptr<RouteTable::SchemaIndex> schemas_ = std::make_shared<RouteTable::SchemaIndex>();
  bool schemas_shared_ = false;  // with a table
  // Outlives Clear(): workers keep upstream clusters by these.
  absl::flat_hash_map<std::string, uint32_t> version_ids_;
};

ServiceBuilder* TableBuilder::Impl::FindService(const std::string& name) {
  const auto it = service_ids_.find(name);
  return it == service_ids_.end() ? nullptr : services_[it->second].get();
}

ServiceBuilder& TableBuilder::Impl::InternService(const std::string& name) {
  const auto id = static_cast<uint32_t>(services_.size());
  const auto [it, added] = service_ids_.try_emplace(name, id);
  if (!added) return *services_[it->second];
  auto version_ids = [this, name](const std::string& version) {
    const auto next = static_cast<uint32_t>(version_ids_.size());
    return version_ids_.try_emplace(absl::StrCat(name, " ", version), next).first->second;
  };
  return *services_.emplace_back(
      std::make_unique<ServiceBuilder>(id, name, version_ids, changed_services_));
}

absl::StatusOr<ServiceBuilder*> TableBuilder::Impl::ServiceOf(const std::string& name) {
  if (ServiceBuilder* known = FindService(name); known != nullptr) return known;
  RETURN_IF_ERROR(version::ValidateServiceName(name));
  return &InternService(name);
}

absl::Status TableBuilder::Impl::CheckClaims(const routing::v1::Service& service,
                                             const ServiceBuilder* owner) const {
  for (const std::string& grpc_service : service.grpc_services()) {
    const auto claim = claims_.find(grpc_service);
    if (claim == claims_.end() || services_[claim->second].get() == owner) continue;
    return absl::AlreadyExistsError(absl::StrCat(
        "gRPC service `", Printable(grpc_service), "` of `", service.name(), "` belongs to `",
        services_[claim->second]->service()->name(), "`; one gRPC service has one owner"));
  }
  return absl::OkStatus();
}

void TableBuilder::Impl::ReleaseClaims(uint32_t service) {
  absl::erase_if(claims_, [service](const auto& claim) { return claim.second == service; });
}

absl::Status TableBuilder::Impl::PutService(const routing::v1::Service& service) {
  RETURN_IF_ERROR(version::ValidateServiceName(service.name()));
  RETURN_IF_ERROR(CheckClaims(service, FindService(service.name())));
  ServiceBuilder& builder = InternService(service.name());
  const bool same_claims =
      builder.service() &&
      std::equal(service.grpc_services().begin(), service.grpc_services().end(),
                 builder.service()->grpc_services().begin(),
                 builder.service()->grpc_services().end());
  RETURN_IF_ERROR(builder.PutService(service));
  if (same_claims) return absl::OkStatus();
  ReleaseClaims(builder.id());
  for (const std::string& grpc_service : service.grpc_services()) {
    claims_[grpc_service] = builder.id();
  }
  indexes_changed_ = true;
  return absl::OkStatus();
}

void TableBuilder::Impl::DeleteService(const std::string& name) {
  ServiceBuilder* builder = FindService(name);
  if (builder == nullptr || !builder->service()) return;
  ReleaseClaims(builder->id());
  builder->DeleteService();
  indexes_changed_ = true;
}

absl::Status TableBuilder::Impl::PutInstance(const routing::v1::Instance& instance) {
  if (instance.version().empty() || instance.version().size() > version::kMaxVersionNameBytes) {
    return absl::InvalidArgumentError(absl::StrCat("instance `", Printable(instance.uid()),
                                                   "` of `", Printable(instance.service()),
                                                   "` is of no version; name the one it runs"));
  }
  ASSIGN_OR_RETURN(ServiceBuilder * builder, ServiceOf(instance.service()));
  RETURN_IF_ERROR(builder->PutInstance(instance));
  const InstancePlace place{builder->id(), instance.version()};
  const auto [it, added] = instances_.try_emplace(instance.uid(), place);
  const bool moved = it->second.service != place.service || it->second.version != place.version;
  if (!added && moved) {
    services_[it->second.service]->DeleteInstance(it->second.version, instance.uid());
    it->second = place;
  }
  return absl::OkStatus();
}

void TableBuilder::Impl::DeleteInstance(const std::string& uid) {
  const auto it = instances_.find(uid);
  if (it == instances_.end()) return;
  services_[it->second.service]->DeleteInstance(it->second.version, uid);
  instances_.erase(it);
}

absl::Status TableBuilder::Impl::PutPin(const routing::v1::Pin& pin) {
  RETURN_IF_ERROR(CheckPin(pin));
  ASSIGN_OR_RETURN(ServiceBuilder * builder, ServiceOf(pin.service()));
  PinSlot slot;
  slot.service = builder->id();
  if (!pin.method().empty()) {
    RETURN_IF_ERROR(builder->CheckExpression(pin.expression()));
    ASSIGN_OR_RETURN(slot.method, builder->InternMethod(pin.method()));
  }
  ASSIGN_OR_RETURN(slot.expression, builder->AcquireExpression(pin.expression()));
  slot.consumer = consumers_.AcquireForPin(pin.consumer());

  const auto same_key = [&slot](const PinSlot& other) { return slot.SameKey(other); };
  if (const std::optional<PinSlot> old = pins_.Put(slot, same_key); old.has_value()) {
    builder->ReleaseExpression(old->expression);
    consumers_.ReleasePin(pin.consumer());
  } else if (slot.method != 0) {
    builder->CountMethodPin(1);
  }
  PutDrain(slot, pin);
  return absl::OkStatus();
}

void TableBuilder::Impl::PutDrain(const PinSlot& pin, const routing::v1::Pin& resource) {
  if (!resource.has_drain() && drains_.size() == 0) return;
  DrainSlot drain{pin.consumer, pin.service, pin.method, 0};
  const auto same_key = [&drain](const DrainSlot& other) { return drain.SameKey(other); };
  if (!resource.has_drain()) {
    drains_.Erase(drain.Hash(), same_key);
    return;
  }
  drain.seconds = static_cast<uint32_t>(
      absl::ToInt64Seconds(absl::Ceil(FromProto(resource.drain()), absl::Seconds(1))));
  drains_.Put(drain, same_key);
}

void TableBuilder::Impl::DeletePin(const routing::v1::Pin& pin) {
  ServiceBuilder* builder = FindService(pin.service());
  const std::optional<uint32_t> consumer = consumers_.Find(pin.consumer());
  if (builder == nullptr || !consumer) return;
  std::optional<uint16_t> method = 0;
  if (!pin.method().empty()) method = builder->FindMethod(pin.method());
  if (!method) return;
  const PinSlot key{*consumer, builder->id(), *method, 0};
  const auto same_key = [&key](const PinSlot& other) { return key.SameKey(other); };
  const PinSlot* slot = pins_.Find(key.Hash(), same_key);
  if (slot == nullptr) return;
  builder->ReleaseExpression(slot->expression);
  if (key.method != 0) builder->CountMethodPin(-1);
  pins_.Erase(key.Hash(), same_key);
  PutDrain(key, routing::v1::Pin());
  consumers_.ReleasePin(pin.consumer());
}

absl::Status TableBuilder::Impl::Put(const Resource& resource) {
  switch (resource.resource_case()) {
    case Resource::kService:
      return PutService(resource.service());
    case Resource::kVersion: {
      ASSIGN_OR_RETURN(ServiceBuilder * builder, ServiceOf(resource.version().service()));
      return builder->PutVersion(resource.version());
    }
    case Resource::kChannel: {
      ASSIGN_OR_RETURN(ServiceBuilder * builder, ServiceOf(resource.channel().service()));
      return builder->PutChannel(resource.channel());
    }
    case Resource::kInstance:
      return PutInstance(resource.instance());
    case Resource::kConsumer:
      return consumers_.Put(resource.consumer());
    case Resource::kPin:
      return PutPin(resource.pin());
    case Resource::kResolution: {
      ASSIGN_OR_RETURN(ServiceBuilder * builder, ServiceOf(resource.resolution().service()));
      return builder->PutResolution(resource.resolution());
    }
    case Resource::kEntitlement: {
      ASSIGN_OR_RETURN(ServiceBuilder * builder, ServiceOf(resource.entitlement().service()));
      return builder->PutEntitlement(resource.entitlement());
    }
    case Resource::RESOURCE_NOT_SET:
      break;
  }
  return absl::InvalidArgumentError(
      "a change has no resource of a kind that this gateway knows; it may be older than the "
      "registry");
}

absl::Status TableBuilder::Impl::Delete(const Resource& resource) {
  ServiceBuilder* builder = nullptr;
  switch (resource.resource_case()) {
    case Resource::kService:
      DeleteService(resource.service().name());
      return absl::OkStatus();
    case Resource::kVersion:
      builder = FindService(resource.version().service());
      if (builder != nullptr) builder->DeleteVersion(resource.version().name());
      return absl::OkStatus();
    case Resource::kChannel:
      builder = FindService(resource.channel().service());
      if (builder != nullptr) builder->DeleteChannel(resource.channel().name());
      return absl::OkStatus();
    case Resource::kInstance:
      DeleteInstance(resource.instance().uid());
      return absl::OkStatus();
    case Resource::kConsumer:
      consumers_.Delete(resource.consumer().name());
      return absl::OkStatus();
    case Resource::kPin:
      DeletePin(resource.pin());
      return absl::OkStatus();
    case Resource::kResolution:
      builder = FindService(resource.resolution().service());
      if (builder != nullptr) builder->DeleteResolution(resource.resolution().expression());
      return absl::OkStatus();
    case Resource::kEntitlement:
      builder = FindService(resource.entitlement().service());
      if (builder != nullptr) builder->DeleteEntitlement(resource.entitlement().consumer());
      return absl::OkStatus();
    case Resource::RESOURCE_NOT_SET:
      break;
  }
  return absl::InvalidArgumentError(
      "a deletion names no resource of a kind that this gateway knows; it may be older than the "
      "registry");
}

void TableBuilder::Impl::PrefetchSlot(const Resource& resource) const {
  if (resource.has_pin()) consumers_.PrefetchSlot(resource.pin().consumer());
  if (resource.has_consumer()) consumers_.PrefetchSlot(resource.consumer().name());
}

void TableBuilder::Impl::PrefetchRecord(const Resource& resource) const {
  if (resource.has_pin()) consumers_.PrefetchRecord(resource.pin().consumer());
  if (resource.has_consumer()) consumers_.PrefetchRecord(resource.consumer().name());
}

void TableBuilder::Impl::Clear() {
  auto version_ids = std::move(version_ids_);
  consumers_ = {};
  services_.clear();
  changed_services_.clear();
  entries_ = {};
  service_ids_.clear();
  claims_.clear();
  instances_.clear();
  pins_ = {};
  drains_ = {};
  indexes_changed_ = true;
  version_ids_ = std::move(version_ids);
}

void TableBuilder::Impl::BuildIndexes() {
  auto grpc_index = std::make_shared<RouteTable::GrpcIndex>();
  auto name_index = std::make_shared<RouteTable::NameIndex>();
  entries_.ForEach([&](const std::shared_ptr<const ServiceEntry>& service) {
    if (service == nullptr) return;
    name_index->emplace(service->name, service->id);
    for (uint32_t i = 0; i < service->grpc_services.size(); ++i) {
      grpc_index->try_emplace(service->grpc_services[i],
                              RouteTable::GrpcServiceEntry{service->id, i});
    }
  });
  grpc_index_ = std::move(grpc_index);
  name_index_ = std::move(name_index);
  indexes_changed_ = false;
}

std::shared_ptr<const RouteTable> TableBuilder::Impl::Build() {
  auto table = std::make_shared<RouteTable>();
  // What did not change is not even looked at.
  for (const uint32_t id : changed_services_) entries_.Put(id, services_[id]->Compile());
  changed_services_.clear();
  if (indexes_changed_) BuildIndexes();
  table->services_ = entries_.Freeze();
  table->grpc_services_ = grpc_index_;
  table->service_ids_ = name_index_;
  table->schemas_ = schemas_;
  schemas_shared_ = true;
  table->pins_ = pins_.Freeze();
  table->drains_ = drains_.Freeze();
  table->consumers_ = consumers_.Freeze();
  return table;
}

void TableBuilder::Impl::PutSchema(const std::string& digest, std::string file_descriptor_set) {
  if (schemas_->contains(digest)) return;
  if (std::exchange(schemas_shared_, false)) {
    schemas_ = std::make_shared<RouteTable::SchemaIndex>(*schemas_);
  }
  (*schemas_)[digest] = std::make_shared<const Schema>(std::move(file_descriptor_set));
}

TableBuilder::TableBuilder() : impl_(std::make_unique<Impl>()) {}
TableBuilder::~TableBuilder() = default;

absl::Status TableBuilder::Apply(const Change& change) {
  if (change.has_put()) return Put(change.put());
  if (change.has_deleted()) return Delete(change.deleted());
  return absl::InvalidArgumentError(
      "a change is neither put nor deleted; this gateway may be older than the registry");
}

absl::Status TableBuilder::PutAll(const google::protobuf::RepeatedPtrField<Resource>& resources,
                                  absl::FunctionRef<void(const Resource&)> put) {
  // Far enough ahead for the memory to answer, near enough to be still in the cache.
  constexpr int kSlotsAhead = 16;
  constexpr int kRecordsAhead = 8;
  for (int i = 0; i < resources.size(); ++i) {
    if (i + kSlotsAhead < resources.size()) impl_->PrefetchSlot(resources[i + kSlotsAhead]);
    if (i + kRecordsAhead < resources.size()) impl_->PrefetchRecord(resources[i + kRecordsAhead]);
    RETURN_IF_ERROR(impl_->Put(resources[i]));
    put(resources[i]);
  }
  return absl::OkStatus();
}

absl::Status TableBuilder::Put(const Resource& resource) { return impl_->Put(resource); }
absl::Status TableBuilder::Delete(const Resource& resource) { return impl_->Delete(resource); }
void TableBuilder::PutSchema(const std::string& digest, std::string file_descriptor_set) {
  impl_->PutSchema(digest, std::move(file_descriptor_set));
}
void TableBuilder::Clear() { impl_->Clear(); }
std::shared_ptr<const RouteTable> TableBuilder::Build() { return impl_->Build(); }

}  // namespace pinion::route
