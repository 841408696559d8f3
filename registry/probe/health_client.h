// grpc.health.v1 as an instance's client. Internal to this folder.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "registry/probe/contact.h"

namespace pinion::probe {

// What the instance says against its own health: empty, if it serves or has no opinion (no health
// service, or none that knows the name, or one that is not for us); else a clause, "says that it
// does not serve acme.AddressBook". Asks for the server as a whole first. Unavailable: no answer;
// the message is a clause as well.
absl::StatusOr<std::string> AskHealth(const Contact& contact,
                                      const std::vector<std::string>& grpc_services);

}  // namespace pinion::probe
