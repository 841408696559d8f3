// What a registry holds when it is measured.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "registry/service/registry.h"

namespace pinion::service {

// A descriptor set of the gRPC service Echo in `package`, with one method and one message.
std::string EchoSchema(const std::string& package);

// An instance at this port of 127.0.0.1.
absl::Status RegisterLocal(Registry& registry, const Caller& caller, const std::string& service,
                           const std::string& version, int port);

// The service "echo" with the gRPC service pinion.test.Echo, and its versions 1.0.0, 2.0.0, … with
// one instance each on these ports of 127.0.0.1.
absl::Status PublishEcho(Registry& registry, const Caller& caller, const std::vector<int>& ports);

absl::Status AddConsumer(Registry& registry, const Caller& caller, const std::string& name);

// The consumers of the numbers below `count`; `pin`: each with a pin of "echo". By as many threads
// as there are cores.
absl::Status AddConsumers(Registry& registry, const Caller& caller, int64_t count, bool pin);

std::string ConsumerName(int64_t number);

absl::Status Pin(Registry& registry, const Caller& caller, const std::string& consumer,
                 const std::string& service, const std::string& expression);

}  // namespace pinion::service
