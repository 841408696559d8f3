// Addresses, networks and header names as a file holds them. Pure. Errors are InvalidArgument
// and say what to write instead.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "base/address.h"
#include "pinion/routing/v1/routing.pb.h"

namespace pinion::config {

// InvalidArgument names what is wrong; `field` is then the path below the address
// (`.socket_address.port_value`, or empty).
absl::Status CheckAddress(const routing::v1::Address& address, AddressUse use, std::string& field);

// `127.0.0.1:80`, `[::1]:80`, `name:80` or `unix:/path`.
std::string ToString(const routing::v1::Address& address);

// Whether only this machine reaches it: a pipe, 127.0.0.0/8, ::1 or localhost.
bool IsLocal(const routing::v1::Address& address);

// Whether both cannot be listened on at once: the same address, or one port under a wildcard and
// one of its addresses. Port 0 never.
bool Collide(const routing::v1::Address& a, const routing::v1::Address& b);

// `10.0.0.0/8`, `::1/128`: no bits beyond the prefix.
absl::Status CheckCidr(std::string_view text);

// A header that an operator may choose for Pinion: lower case, no pseudo-header, none that HTTP or
// gRPC owns.
absl::Status CheckHeaderName(std::string_view name);

}  // namespace pinion::config
