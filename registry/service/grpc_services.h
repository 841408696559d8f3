// The gRPC services in front of the registry: decode, run the operation, encode. Thread-safe, as
// gRPC requires; their methods block on the store, so they are served by gRPC's synchronous
// threads.
#pragma once

#include <grpcpp/impl/codegen/service_type.h>

#include <memory>
#include <string>

#include "registry/service/gatekeeper.h"
#include "registry/service/instance_checker.h"
#include "registry/service/registry.h"
#include "registry/service/watch_hub.h"

namespace pinion::service {

// pinion.registry.v1.Registry. All arguments outlive it; `gatekeeper` null: everybody may do
// everything.
std::unique_ptr<grpc::Service> MakeRegistryService(Registry& registry, Gatekeeper* gatekeeper,
                                                   const WatchHub& hub, InstanceChecker& checker,
                                                   std::string binary_version);

// pinion.registry.v1.RoutingWatch. Likewise.
std::unique_ptr<grpc::Service> MakeRoutingWatchService(Registry& registry, Gatekeeper* gatekeeper,
                                                       WatchHub& hub);

}  // namespace pinion::service
