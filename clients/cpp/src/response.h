// Reading what a gateway says from metadata. Any thread.
#pragma once

#include <grpcpp/support/string_ref.h>

#include <map>
#include <optional>
#include <string>

#include "pinion/client/response.h"

namespace pinion::client {

using Metadata = std::multimap<grpc::string_ref, grpc::string_ref>;

// None when the metadata names no version.
std::optional<Response> ReadMetadata(const Metadata& metadata, const std::string& grpc_service,
                                     const std::string& header);

// "/acme.People/Get" → "acme.People".
std::string GrpcServiceOf(const std::string& method);

}  // namespace pinion::client
