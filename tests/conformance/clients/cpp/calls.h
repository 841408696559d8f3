// Connections and the calls on them. Commands come one at a time, on one thread.
#pragma once

#include <grpcpp/security/credentials.h>
#include <grpcpp/support/status.h>

#include <map>
#include <memory>
#include <string>

#include "tests/conformance/clients/cpp/json.h"

namespace driver {

// The code, the message, and what the library makes of a refusal.
void SetError(const grpc::Status& status, Json& error);

// What a connection is secured by and shows, as the command says.
std::shared_ptr<grpc::ChannelCredentials> CredentialsOf(const Json& command);

class Calls {
 public:
  Calls();
  ~Calls();

  void Dial(const Json& command, Json& answer);
  void Call(const Json& command, Json& answer);
  void Told(const Json& command, Json& answer);

 private:
  struct Connection;
  std::map<std::string, std::unique_ptr<Connection>> connections_;
};

}  // namespace driver
