// The gRPC service pinion.registry.v1.Access. Thread-safe, as gRPC requires.
#pragma once

#include <grpcpp/impl/codegen/service_type.h>

#include <memory>

#include "registry/service/gatekeeper.h"
#include "registry/service/registry.h"

namespace pinion::service {

// Both outlive it; `gatekeeper` null: this registry asks for no credentials.
std::unique_ptr<grpc::Service> MakeAccessService(Registry& registry, Gatekeeper* gatekeeper);

}  // namespace pinion::service
