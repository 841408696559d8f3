// Where to listen or connect: an IP address or DNS name with a port, or a Unix socket. A value; any
// thread.
#pragma once

#include <cstdint>
#include <string>

namespace pinion::net {

struct Endpoint {
  std::string host;  // IPv4, IPv6 without brackets, or a DNS name; empty for a Unix socket
  uint16_t port = 0;
  std::string path;  // Unix socket

  bool operator==(const Endpoint&) const = default;
};

// "127.0.0.1:8080", "[::1]:8080", "unix:/run/x.sock".
std::string ToString(const Endpoint& endpoint);

}  // namespace pinion::net
