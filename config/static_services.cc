#include "config/static_services.h"

#include <algorithm>
#include <set>

#include "absl/strings/match.h"

namespace pinion::config {

bool IsGatewaysOwn(std::string_view grpc_service) {
  return grpc_service == "grpc.health.v1.Health" ||
         absl::StartsWith(absl::string_view(grpc_service.data(), grpc_service.size()),
                          "grpc.reflection.");
}

std::vector<std::string> ClaimedGrpcServices(const v1::StaticService& service,
                                             const SchemaOfVersions& schemas) {
  std::set<std::string> names(service.grpc_services().begin(), service.grpc_services().end());
  if (names.empty()) {
    for (const auto& schema : schemas) {
      for (const routing::v1::GrpcMethods& methods : schema) {
        if (!IsGatewaysOwn(methods.grpc_service())) names.insert(methods.grpc_service());
      }
    }
  }
  return {names.begin(), names.end()};
}

}  // namespace pinion::config
