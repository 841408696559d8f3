// A server's place in Pinion's registry: registered under a lease that a thread of its own renews,
// so that gateways send calls here only while this program lives.
#pragma once

#include <memory>
#include <string>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "dial/registry_connection.h"
#include "pinion/registry/v1/registry.grpc.pb.h"

namespace addressbook {

class Registration {
 public:
  struct Options {
    std::string registry;  // host:port or unix:path
    pinion::dial::Credentials credentials;
    std::string service;
    std::string api_version;
    std::string address;  // host:port that gateways reach this server at
    absl::Duration lease;
  };

  // Begins to register and returns at once: a server can run while the registry is away, and
  // registers when it is back. What goes wrong is printed to standard error, once per different
  // error. InvalidArgument: an address that is none, or credentials that cannot be tried.
  static absl::StatusOr<std::unique_ptr<Registration>> Start(Options options);

  // Deregisters; waits for the answer, at most some seconds.
  ~Registration();

 private:
  Registration(Options options, pinion::registry::v1::RegisterInstanceRequest request);

  // Sets the deadline, and shows who calls.
  void Prepare(grpc::ClientContext& context);
  void Run();
  // Register sets uid_. Renew registers anew when the lease has expired.
  grpc::Status Register();
  grpc::Status Renew();
  void Report(const grpc::Status& status);

  const Options options_;
  const pinion::registry::v1::RegisterInstanceRequest request_;
  pinion::dial::RegistryConnection connection_;
  const std::unique_ptr<pinion::registry::v1::Registry::Stub> registry_;
  absl::Notification stop_;
  // Only Run()'s thread, and the destructor after it has ended.
  std::string uid_;
  std::string last_error_;
  std::thread thread_;
};

}  // namespace addressbook
