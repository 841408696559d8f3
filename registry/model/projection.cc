#include "registry/model/projection.h"

#include <map>
#include <utility>

#include "absl/strings/match.h"
#include "base/check.h"
#include "google/protobuf/util/message_differencer.h"
#include "pinion/registry/v1/records.pb.h"
#include "registry/model/keys.h"

namespace pinion::model {
namespace {

using routing::v1::Change;
using routing::v1::Resource;

template <typename Record>
Record Parse(absl::string_view value) {
  Record record;
  CHECK(record.ParseFromArray(value.data(), static_cast<int>(value.size())));
  return record;
}

bool Under(absl::string_view key, const char* prefix) { return absl::StartsWith(key, prefix); }

void AppendResolutions(absl::string_view key, absl::string_view value,
                       std::vector<Resource>& resources) {
  const absl::string_view service = key.substr(absl::string_view(kResolutions).size());
  const auto record = Parse<registry::v1::Resolutions>(value);
  for (const auto& entry : record.entries()) {
    routing::v1::Resolution& resolution = *resources.emplace_back().mutable_resolution();
    resolution.set_service(std::string(service));
    resolution.set_expression(entry.expression());
    resolution.set_version(entry.version());
  }
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
    case Resource::RESOURCE_NOT_SET:
      break;
  }
  return id;
}

std::map<std::string, Resource> ByName(absl::string_view key,
                                       std::optional<absl::string_view> value) {
  std::vector<Resource> resources;
  if (value.has_value()) AppendResources(key, *value, resources);
  std::map<std::string, Resource> by_name;
  for (Resource& resource : resources) {
    std::string name = NameOf(resource);
    by_name.emplace(std::move(name), std::move(resource));
  }
  return by_name;
}

}  // namespace

const std::vector<std::string>& SnapshotPrefixes() {
  static const std::vector<std::string> prefixes = {kServices,  kVersions,  kChannels, kResolutions,
                                                    kInstances, kConsumers, kPins};
  return prefixes;
}

void AppendResources(absl::string_view key, absl::string_view value,
                     std::vector<Resource>& resources) {
  if (Under(key, kPins)) {
    *resources.emplace_back().mutable_pin() =
        std::move(*Parse<registry::v1::Pin>(value).mutable_pin());
  } else if (Under(key, kInstances)) {
    *resources.emplace_back().mutable_instance() =
        std::move(*Parse<registry::v1::Instance>(value).mutable_instance());
  } else if (Under(key, kConsumers)) {
    *resources.emplace_back().mutable_consumer() =
        std::move(*Parse<registry::v1::Consumer>(value).mutable_consumer());
  } else if (Under(key, kResolutions)) {
    AppendResolutions(key, value, resources);
  } else if (Under(key, kVersions)) {
    *resources.emplace_back().mutable_version() =
        std::move(*Parse<registry::v1::VersionRecord>(value).mutable_version()->mutable_version());
  } else if (Under(key, kChannels)) {
    *resources.emplace_back().mutable_channel() =
        std::move(*Parse<registry::v1::Channel>(value).mutable_channel());
  } else if (Under(key, kServices)) {
    *resources.emplace_back().mutable_service() =
        std::move(*Parse<registry::v1::Service>(value).mutable_service());
  }
}

void AppendChanges(absl::string_view key, std::optional<absl::string_view> before,
                   std::optional<absl::string_view> after, std::vector<Change>& changes) {
  const std::map<std::string, Resource> old_resources = ByName(key, before);
  const std::map<std::string, Resource> new_resources = ByName(key, after);
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
}

}  // namespace pinion::model
