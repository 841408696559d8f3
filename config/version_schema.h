// What the descriptor sets of static_resources say about a service: shared by validation and
// compilation. Reads files; keeps none open.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "pinion/config/v1/config.pb.h"

namespace pinion::config {

// The channel that a service gets for its first version in the file unless it sets it itself.
inline constexpr const char* kDefaultChannel = "stable";

// The schema of one version, as far as its service claims it.
struct VersionSchema {
  std::vector<routing::v1::GrpcMethods> services;  // by name
  std::string digest;                 // hexadecimal; empty: the version has no descriptor set
  std::string file_descriptor_set;    // as read
  std::vector<std::string> declared;  // all gRPC services in the set, claimed or not

  bool known() const { return !digest.empty(); }
};

// For `version` of `service`, whose grpc_services (when it lists any) choose among those in the
// set; else all count but those that gateways answer themselves. A version without a descriptor set
// has an unknown schema. InvalidArgument names the file: not readable, not a descriptor set,
// without one of its imports, or without any service that counts.
absl::StatusOr<VersionSchema> ReadSchema(const v1::StaticService& service,
                                         const v1::StaticService::StaticVersion& version);

// The gRPC services that `service` claims: those it lists, else all in its versions' `schemas`.
// Sorted, unique.
std::vector<std::string> ClaimedGrpcServices(const v1::StaticService& service,
                                             const std::vector<VersionSchema>& schemas);

}  // namespace pinion::config
