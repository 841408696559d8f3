// A gRPC channel to a registry, and what each call on it shows. For every client of the registry's
// API: the command line and gateways. Thread-safe.
#pragma once

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/support/channel_arguments.h>

#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "base/mutex.h"
#include "dial/credentials.h"

namespace pinion::dial {

class RegistryConnection {
 public:
  // Connects lazily: calls fail, never this. `address`: "127.0.0.1:8081", "host:8081",
  // "unix:/run/pinion.sock". `arguments` are what the caller wants of the channel.
  RegistryConnection(const std::string& address, Credentials credentials,
                     grpc::ChannelArguments arguments);

  const std::shared_ptr<grpc::Channel>& channel() const { return channel_; }

  // Before a call: adds the token. While its file cannot be read, the one that was there last.
  void Authenticate(grpc::ClientContext& context);

 private:
  std::string Token();

  const Credentials credentials_;
  std::shared_ptr<grpc::Channel> channel_;
  Mutex mutex_;
  std::string last_token_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace pinion::dial
