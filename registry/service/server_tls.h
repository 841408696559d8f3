// How the registry's server speaks TLS: gRPC's credentials, whose files are read again when they
// change.
#pragma once

#include <grpcpp/security/server_credentials.h>

#include <memory>

#include "registry/service/registry_server.h"

namespace pinion::service {

std::shared_ptr<grpc::ServerCredentials> TlsCredentialsOf(const ServerTls& tls);

}  // namespace pinion::service
