// What both versions' servers have in common: flags, the gRPC server with health and reflection,
// the pages, registration with Pinion, and a shutdown that finishes the calls in progress.
#pragma once

#include <grpcpp/grpcpp.h>

#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "examples/addressbook/db/sqlite.h"

namespace addressbook {

// The name under which the servers register, and the gRPC service that all its versions implement.
inline constexpr char kService[] = "addressbook";
inline constexpr char kGrpcService[] = "acme.AddressBook";

// Makes the version's service over the database; an error (the database is not ready for this
// version) ends the program.
using ServiceFactory = std::function<absl::StatusOr<std::unique_ptr<grpc::Service>>(Database)>;

// main() of a server: reads the flags, serves until SIGTERM or SIGINT, returns the exit code.
// Prints one line for each address that it listens on, after it does:
//   addressbook 1.0.0 listening on 127.0.0.1:40123
//   pages on http://127.0.0.1:40124/
int RunServer(int argc, char** argv, const std::string& api_version,
              const ServiceFactory& make_service);

// The database's error as the answer to a call.
grpc::Status ToGrpc(const absl::Status& status);

}  // namespace addressbook
