// Pins for a whole chain of calls. A pin holds for one hop: the gateway takes the header that asks
// for a version out of what it forwards. Pins for a chain travel beside it, in metadata of the
// header's name and `-context`: `acme.people.People=^2, acme.billing.Billing=1.4.0`. Channels with
// `pass_on` follow them. Any thread.
#pragma once

#include <grpcpp/client_context.h>
#include <grpcpp/server_context.h>

#include <map>
#include <string>

#include "pinion/client/response.h"

namespace pinion::client {

using ChainPins = std::map<std::string, std::string>;  // by full gRPC service name

// The pins that came with a call. InvalidArgument, for the caller: they are malformed.
grpc::Status ReadChainPins(const grpc::ServerContextBase& context, ChainPins& pins,
                           const std::string& header = kDefaultHeader);

// Gives pins to a call, once.
void PassOn(const ChainPins& pins, grpc::ClientContext& context,
            const std::string& header = kDefaultHeader);

}  // namespace pinion::client
