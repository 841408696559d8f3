// What a service of static_resources comes to once its descriptor sets are read: shared by
// validation and compilation.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "pinion/config/v1/config.pb.h"

namespace pinion::config {

// The channel that a service without one of this name gets for its first version in the file.
inline constexpr std::string_view kDefaultChannel = "stable";

// For each version of `service` the services of its descriptor set; empty for a version without
// one.
using SchemaOfVersions = std::vector<std::vector<routing::v1::GrpcMethods>>;

// Health and reflection, which the gateway answers itself.
bool IsGatewaysOwn(std::string_view grpc_service);

// The gRPC services that `service` claims: those it lists, else all that its descriptor sets define
// but the gateway's own. Sorted.
std::vector<std::string> ClaimedGrpcServices(const v1::StaticService& service,
                                             const SchemaOfVersions& schemas);

}  // namespace pinion::config
