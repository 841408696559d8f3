// A consumer's or an owner's secrets, as gRPC's credentials of calls: they are only sent over TLS.
#pragma once

#include <grpcpp/security/credentials.h>

#include <functional>
#include <memory>
#include <string>

namespace pinion::client {

// For grpc::CompositeChannelCredentials. `header`: of the gateway's listener.
std::shared_ptr<grpc::CallCredentials> ApiKey(const std::string& key,
                                              const std::string& header = "x-api-key");

// A bearer token, of a consumer towards gateways or of an owner towards the registry. `source` is
// asked for each call, on a thread of gRPC's; without a token the call fails as UNAUTHENTICATED.
std::shared_ptr<grpc::CallCredentials> Token(std::function<std::string()> source);

// A bearer token in a file, which is read for each call, so that it can be replaced.
std::shared_ptr<grpc::CallCredentials> TokenFile(const std::string& path);

}  // namespace pinion::client
