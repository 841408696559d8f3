// The server's side: a version's server that publishes and registers itself, and leaves in good
// order.
#pragma once

#include <grpcpp/channel.h>
#include <grpcpp/server.h>
#include <grpcpp/support/status.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace pinion::client {

// A server of one API version, as the registry is to know it.
struct ServerDescription {
  std::string service;  // the registry's name, such as "addressbook"
  std::string version;
  std::string address;                     // HOST:PORT that gateways reach it at, or unix:PATH
  std::vector<std::string> grpc_services;  // full names, of this version's API
  // Also publishes the version, with the descriptors of its services. It is the same request each
  // time, so that any number of servers may make it; a schema that differs from what was published
  // before is refused.
  bool publish = false;
  std::string notes;     // of the version that is published
  std::string tls_name;  // to be called with TLS, under this name
  unsigned weight = 0;   // 0 means 1
  std::string zone;
  std::string owner;
  std::string actor;  // who makes the changes, for a registry that does not know by the channel
  std::chrono::milliseconds lease{15000};  // 1 s to 24 h; renewed three times within that time
  std::chrono::milliseconds drain{30000};  // how long calls may go on after Shutdown()
  // Called with the uid of each registration, on a thread of its own: the first, and those after a
  // lease had expired.
  std::function<void(const std::string& uid)> on_registered;
  std::function<void(const std::string& line)> log;  // standard error when unset
};

// Gives all servers that are built from now on the services of health and reflection. Call it
// before grpc::ServerBuilder is used, as gRPC wants.
void EnableHealthAndReflection();

// Keeps a running server in the registry. A registry that is away only delays that, and calls are
// served meanwhile; one that refuses ends the server.
class Registration {
 public:
  // Begins to publish, if told to, and to register, on a thread of its own. `server` outlives this.
  Registration(grpc::Server& server, std::shared_ptr<grpc::Channel> registry,
               ServerDescription description);
  // As Shutdown().
  ~Registration();
  Registration(const Registration&) = delete;
  Registration& operator=(const Registration&) = delete;

  // Waits until Shutdown() was called, or the registry has refused the server: its refusal then
  // (see ReadRefusal), else OK. Any thread.
  grpc::Status Wait();

  // Says NOT_SERVING, deregisters, waits for open calls and shuts the server down. Any thread; not
  // a signal handler.
  void Shutdown();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace pinion::client
