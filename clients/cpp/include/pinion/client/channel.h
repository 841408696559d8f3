// The caller's side: pins go out, notices of deprecated versions come back.
#pragma once

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/support/channel_arguments.h>

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "pinion/client/response.h"

namespace pinion::client {

struct ChannelOptions {
  // By full gRPC service name: a version's name, a range (`^1.4`) or a channel (`@stable`). They
  // stand before the pins that the registry keeps for this consumer.
  std::map<std::string, std::string> pins;
  std::string default_pin;  // of services that have none
  std::string header = kDefaultHeader;
  bool pass_on = false;  // calls follow the pins of their chain, and hand them on; else: neither
  // Called once for each different notice, on gRPC's threads.
  std::function<void(const Notice&)> on_deprecation;
  std::function<void(const std::string& line)> log;  // gets a line then; standard error when unset
  grpc::ChannelArguments arguments;
};

// As grpc::CreateCustomChannel. The pin of a call is the first of: its own metadata (see SetPin),
// the chain, `pins`, `default_pin`.
std::shared_ptr<grpc::Channel> CreateChannel(
    const std::string& target, const std::shared_ptr<grpc::ChannelCredentials>& credentials,
    ChannelOptions options);

// Asks for a version in one call, once.
void SetPin(const std::string& expression, grpc::ClientContext& context,
            const std::string& header = kDefaultHeader);

}  // namespace pinion::client
