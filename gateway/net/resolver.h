// Endpoint → socket address: literals at once, names by DNS (c-ares) without blocking the loop. One
// a loop, on its thread.
#pragma once

#include <sys/socket.h>

#include <functional>
#include <memory>

#include "absl/status/statusor.h"
#include "gateway/net/endpoint.h"

namespace pinion::net {

class EpollLoop;

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t length = 0;
};

// InvalidArgument when the endpoint's host is a name, or its path is too long for a Unix socket.
absl::StatusOr<SocketAddress> ParseLiteral(const Endpoint& endpoint);

// "127.0.0.1:4711", "[::1]:4711", "unix:".
std::string ToString(const SocketAddress& address);

class Resolver {
 public:
  using Callback = std::function<void(absl::StatusOr<SocketAddress>)>;

  // Destroying it cancels: the callback is not called any more.
  class Query;

  explicit Resolver(EpollLoop& loop);
  ~Resolver();

  // Calls back later, never at once, with one of the name's addresses (IPv4 or IPv6, in turn over
  // the calls) or why there is none.
  std::unique_ptr<Query> Resolve(const Endpoint& endpoint, Callback callback);

 private:
  class Channel;
  std::unique_ptr<Channel> channel_;
};

class Resolver::Query {
 public:
  explicit Query(Callback callback) : callback(std::make_shared<Callback>(std::move(callback))) {}
  ~Query() { *callback = nullptr; }

  // Shared with the running lookup; emptied when nobody waits any more.
  std::shared_ptr<Callback> callback;
};

}  // namespace pinion::net
