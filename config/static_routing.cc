#include "config/static_routing.h"

#include <map>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "config/address.h"
#include "config/version_schema.h"
#include "registry/model/validate.h"

namespace pinion::config {
namespace {

using routing::v1::Resource;
using v1::StaticConsumer;
using v1::StaticService;
using StaticVersion = StaticService::StaticVersion;

// Protobuf maps have no order; the same file must always compile to the same resources.
template <typename Map>
std::map<std::string, std::string> Sorted(const Map& map) {
  return {map.begin(), map.end()};
}

absl::StatusOr<std::vector<VersionSchema>> ReadSchemas(const StaticService& service) {
  std::vector<VersionSchema> schemas;
  for (const StaticVersion& version : service.versions()) {
    ASSIGN_OR_RETURN(schemas.emplace_back(), ReadSchema(service, version));
  }
  return schemas;
}

class Compiler {
 public:
  absl::Status AddService(const StaticService& service) {
    ASSIGN_OR_RETURN(const std::vector<VersionSchema> schemas, ReadSchemas(service));
    const std::vector<std::string> claims = ClaimedGrpcServices(service, schemas);
    routing::v1::Service& out = *resources_.emplace_back().mutable_service();
    out.set_name(service.name());
    out.set_scheme(service.scheme());
    out.mutable_grpc_services()->Assign(claims.begin(), claims.end());
    if (service.has_unpinned()) *out.mutable_unpinned() = service.unpinned();
    out.set_version_from_package(service.version_from_package());
    out.set_load_balancing(service.load_balancing());
    if (service.has_retry_policy()) *out.mutable_retry_policy() = service.retry_policy();
    for (const std::string& claim : claims) owners_[claim] = service.name();
    for (int i = 0; i < service.versions_size(); ++i) {
      AddVersion(service, service.versions(i), schemas[i]);
    }
    AddChannels(service);
    for (const StaticVersion& version : service.versions()) AddInstances(service, version);
    return absl::OkStatus();
  }

  void AddConsumer(const StaticConsumer& consumer) {
    routing::v1::Consumer& out = *resources_.emplace_back().mutable_consumer();
    out.set_name(consumer.name());
    *out.mutable_identities() = consumer.identities();
    out.set_default_channel(consumer.default_channel());
    for (const auto& [service, expression] : Sorted(consumer.pins())) {
      AddPin(consumer.name(), service, "", expression);
    }
    for (const auto& [method, expression] : Sorted(consumer.method_pins())) {
      const std::string grpc_service(model::GrpcServiceOf(method));
      AddPin(consumer.name(), owners_[grpc_service], method, expression);
    }
  }

  std::vector<Resource> Take() && { return std::move(resources_); }

 private:
  void AddVersion(const StaticService& service, const StaticVersion& version,
                  const VersionSchema& schema) {
    routing::v1::Version& out = *resources_.emplace_back().mutable_version();
    out.set_service(service.name());
    out.set_name(version.name());
    out.set_state(version.has_deprecation() ? routing::v1::DEPRECATED : routing::v1::ACTIVE);
    if (version.has_deprecation()) *out.mutable_deprecation() = version.deprecation();
    out.mutable_methods()->Assign(schema.services.begin(), schema.services.end());
    out.set_schema_digest(schema.digest);
  }

  void AddChannels(const StaticService& service) {
    std::map<std::string, std::string> channels = Sorted(service.channels());
    if (!service.versions().empty()) {
      channels.try_emplace(kDefaultChannel, service.versions(0).name());
    }
    for (const auto& [name, version] : channels) {
      routing::v1::Channel& out = *resources_.emplace_back().mutable_channel();
      out.set_service(service.name());
      out.set_name(name);
      out.set_version(version);
    }
  }

  void AddInstances(const StaticService& service, const StaticVersion& version) {
    for (const StaticVersion::StaticInstance& instance : version.instances()) {
      routing::v1::Instance& out = *resources_.emplace_back().mutable_instance();
      out.set_service(service.name());
      out.set_version(version.name());
      out.set_uid(absl::StrCat("static/", service.name(), "/", version.name(), "/",
                               ToString(instance.address())));
      *out.mutable_address() = instance.address();
      out.set_weight(instance.weight());
      out.set_zone(instance.zone());
      out.set_tls_name(instance.tls_name());
    }
  }

  void AddPin(const std::string& consumer, const std::string& service, const std::string& method,
              const std::string& expression) {
    routing::v1::Pin& out = *resources_.emplace_back().mutable_pin();
    out.set_consumer(consumer);
    out.set_service(service);
    out.set_method(method);
    out.set_expression(expression);
  }

  std::vector<Resource> resources_;
  // gRPC service → service.
  std::map<std::string, std::string> owners_;
};

}  // namespace

absl::StatusOr<std::vector<Resource>> StaticRouting(const v1::Bootstrap& bootstrap) {
  Compiler compiler;
  for (const StaticService& service : bootstrap.static_resources().services()) {
    RETURN_IF_ERROR(compiler.AddService(service));
  }
  for (const StaticConsumer& consumer : bootstrap.static_resources().consumers()) {
    compiler.AddConsumer(consumer);
  }
  return std::move(compiler).Take();
}

absl::StatusOr<std::map<std::string, std::string>> StaticSchemas(const v1::Bootstrap& bootstrap) {
  std::map<std::string, std::string> by_digest;
  for (const StaticService& service : bootstrap.static_resources().services()) {
    ASSIGN_OR_RETURN(std::vector<VersionSchema> schemas, ReadSchemas(service));
    for (VersionSchema& schema : schemas) {
      if (schema.known()) by_digest[schema.digest] = std::move(schema.file_descriptor_set);
    }
  }
  return by_digest;
}

}  // namespace pinion::config
