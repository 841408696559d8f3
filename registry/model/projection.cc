#include "registry/model/projection.h"

#include <map>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "base/status_macros.h"
#include "google/protobuf/util/message_differencer.h"
#include "pinion/registry/v1/records.pb.h"
#include "registry/model/errors.h"
#include "registry/model/keys.h"

namespace pinion::model {
namespace {

using routing::v1::Change;
using routing::v1::Resource;

template <typename Record>
absl::StatusOr<Record> Parse(absl::string_view key, absl::string_view value) {
  Record record;
  if (!record.ParseFromArray(value.data(), static_cast<int>(value.size()))) return Damaged(key);
  return record;
}

bool Under(absl::string_view key, const char* prefix) { return absl::StartsWith(key, prefix); }

absl::Status AppendResolutions(absl::string_view key, absl::string_view value,
                               std::vector<Resource>& resources) {
  const absl::string_view service = key.substr(absl::string_view(kResolutions).size());
  ASSIGN_OR_RETURN(const auto record, Parse<registry::v1::Resolutions>(key, value));
  for (const auto& entry : record.entries()) {
    routing::v1::Resolution& resolution = *resources.emplace_back().mutable_resolution();
    resolution.set_service(std::string(service));
    resolution.set_expression(entry.expression());
    resolution.set_version(entry.version());
  }
  return absl::OkStatus();
}

// Takes the part of a record that gateways see.
template <typename Record, typename Part>
absl::Status Read(absl::string_view key, absl::string_view value, Part* (Record::*part)(),
                  Part& out) {
  ASSIGN_OR_RETURN(auto record, Parse<Record>(key, value));
  out.Swap((record.*part)());
  return absl::OkStatus();
}

// The one that lies a level deeper.
absl::Status ReadVersion(absl::string_view key, absl::string_view value,
                         routing::v1::Version& out) {
  ASSIGN_OR_RETURN(auto record, Parse<registry::v1::VersionRecord>(key, value));
  out.Swap(record.mutable_version()->mutable_version());
  return absl::OkStatus();
}

// Where a record that says this stands: bytes that were damaged may still be a message.
std::string KeyOf(const Resource& resource) {
  switch (resource.resource_case()) {
    case Resource::kService:
      return ServiceKey(resource.service().name());
    case Resource::kVersion:
      return VersionKey(resource.version().service(), resource.version().name());
    case Resource::kChannel:
      return ChannelKey(resource.channel().service(), resource.channel().name());
    case Resource::kInstance:
      return InstanceKey(resource.instance().service(), resource.instance().version(),
                         resource.instance().uid());
    case Resource::kConsumer:
      return ConsumerKey(resource.consumer().name());
    case Resource::kPin:
      return PinKey(resource.pin().consumer(), resource.pin().service(), resource.pin().method());
    case Resource::kResolution:
      return ResolutionsKey(resource.resolution().service());
    case Resource::kEntitlement:
      return EntitlementKey(resource.entitlement().consumer(), resource.entitlement().service());
    case Resource::RESOURCE_NOT_SET:
      break;
  }
  return "";
}

absl::Status ReadResource(absl::string_view key, absl::string_view value, Resource& out) {
  namespace v1 = registry::v1;
  if (Under(key, kPins)) return Read(key, value, &v1::Pin::mutable_pin, *out.mutable_pin());
  if (Under(key, kInstances)) {
    return Read(key, value, &v1::Instance::mutable_instance, *out.mutable_instance());
  }
  if (Under(key, kConsumers)) {
    return Read(key, value, &v1::Consumer::mutable_consumer, *out.mutable_consumer());
  }
  if (Under(key, kEntitlements)) {
    return Read(key, value, &v1::Entitlement::mutable_entitlement, *out.mutable_entitlement());
  }
  if (Under(key, kVersions)) return ReadVersion(key, value, *out.mutable_version());
  if (Under(key, kChannels)) {
    return Read(key, value, &v1::Channel::mutable_channel, *out.mutable_channel());
  }
  if (Under(key, kServices)) {
    return Read(key, value, &v1::Service::mutable_service, *out.mutable_service());
  }
  return Damaged(key);
}

// An instance that gets no calls does not exist for gateways.
absl::StatusOr<bool> IsHeldBack(absl::string_view key, absl::string_view value) {
  if (!Under(key, kInstances)) return false;
  ASSIGN_OR_RETURN(const auto record, Parse<registry::v1::Instance>(key, value));
  return record.check().held_back();
}

// What tells resources of one record apart.
std::string NameOf(const Resource& resource) {
  return resource.has_resolution() ? resource.resolution().expression() : "";
}

// Only the fields that identify it.
Resource Identified(const Resource& full) {
  Resource id;
  switch (full.resource_case()) {
    case Resource::kService:
      id.mutable_service()->set_name(full.service().name());
      break;
    case Resource::kVersion:
      id.mutable_version()->set_service(full.version().service());
      id.mutable_version()->set_name(full.version().name());
      break;
    case Resource::kChannel:
      id.mutable_channel()->set_service(full.channel().service());
      id.mutable_channel()->set_name(full.channel().name());
      break;
    case Resource::kInstance:
      id.mutable_instance()->set_uid(full.instance().uid());
      break;
    case Resource::kConsumer:
      id.mutable_consumer()->set_name(full.consumer().name());
      break;
    case Resource::kPin:
      id.mutable_pin()->set_consumer(full.pin().consumer());
      id.mutable_pin()->set_service(full.pin().service());
      id.mutable_pin()->set_method(full.pin().method());
      break;
    case Resource::kResolution:
      id.mutable_resolution()->set_service(full.resolution().service());
      id.mutable_resolution()->set_expression(full.resolution().expression());
      break;
    case Resource::kEntitlement:
      id.mutable_entitlement()->set_consumer(full.entitlement().consumer());
      id.mutable_entitlement()->set_service(full.entitlement().service());
      break;
    case Resource::RESOURCE_NOT_SET:
      break;
  }
  return id;
}

absl::StatusOr<std::map<std::string, Resource>> ByName(absl::string_view key,
                                                       std::optional<absl::string_view> value) {
  std::vector<Resource> resources;
  if (value.has_value()) RETURN_IF_ERROR(AppendResources(key, *value, resources));
  std::map<std::string, Resource> by_name;
  for (Resource& resource : resources) {
    std::string name = NameOf(resource);
    by_name.emplace(std::move(name), std::move(resource));
  }
  return by_name;
}

}  // namespace

const std::vector<std::string>& SnapshotPrefixes() {
  static const std::vector<std::string> prefixes = {
      kServices, kVersions, kChannels, kResolutions, kInstances, kConsumers, kEntitlements, kPins};
  return prefixes;
}

absl::Status AppendResources(absl::string_view key, absl::string_view value,
                             std::vector<Resource>& resources) {
  if (Under(key, kResolutions)) return AppendResolutions(key, value, resources);
  Resource resource;
  RETURN_IF_ERROR(ReadResource(key, value, resource));
  if (KeyOf(resource) != key) return Damaged(key);
  ASSIGN_OR_RETURN(const bool held_back, IsHeldBack(key, value));
  if (!held_back) resources.push_back(std::move(resource));
  return absl::OkStatus();
}

absl::Status AppendChanges(absl::string_view key, std::optional<absl::string_view> before,
                           std::optional<absl::string_view> after, std::vector<Change>& changes) {
  ASSIGN_OR_RETURN(const auto old_resources, ByName(key, before));
  ASSIGN_OR_RETURN(const auto new_resources, ByName(key, after));
  for (const auto& [name, resource] : old_resources) {
    if (!new_resources.contains(name))
      *changes.emplace_back().mutable_deleted() = Identified(resource);
  }
  for (const auto& [name, resource] : new_resources) {
    const auto it = old_resources.find(name);
    const bool same = it != old_resources.end() &&
                      google::protobuf::util::MessageDifferencer::Equals(it->second, resource);
    if (!same) *changes.emplace_back().mutable_put() = resource;
  }
  return absl::OkStatus();
}

}  // namespace pinion::model
