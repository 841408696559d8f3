// Calls that a gateway or registry answers itself. Values; any thread.
#pragma once

#include <grpcpp/support/status.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace pinion::client {

// What does not apply is empty.
struct Refusal {
  std::string reason;   // to switch on, such as "VERSION_NOT_FOUND"
  std::string service;  // the registry's name of the service
  std::string version;  // that the call would have gone to
  std::string consumer;
  std::string asked;                   // the expression
  std::string source;                  // where it came from
  std::vector<std::string> available;  // what this caller may ask for, newest first; ten at most
  std::string successor;               // of a retired version
  std::string help;                    // URL
  std::map<std::string, std::string> variables;  // all of the message's, these among them
};

// None: the call was not refused by Pinion.
std::optional<Refusal> ReadRefusal(const grpc::Status& status);

}  // namespace pinion::client
