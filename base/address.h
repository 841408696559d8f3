// What an address may be, wherever a person, a file or a message gives one: the one rule of the
// configuration, the command line, the registry and its server. Pure; any thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace pinion {

// What an address is for decides what it may hold.
enum class AddressUse {
  kListen,    // an IP address or a Unix socket; port 0 lets the kernel choose
  kConnect,   // also a DNS name; never port 0
  kEither,    // as kConnect, and port 0
  kRegister,  // as kConnect, but for other processes: a Unix socket's path is absolute
};

struct AddressParts {
  std::string host;  // IPv4, IPv6 without brackets, or a DNS name
  uint32_t port = 0;
  std::optional<std::string> path;  // of a Unix socket; host and port then mean nothing
};

enum class AddressPart { kHost, kPort, kPath };

// InvalidArgument says what is wrong and what to write instead; `*wrong`, if given, is then the
// part.
absl::Status CheckAddress(const AddressParts& parts, AddressUse use, AddressPart* wrong = nullptr);

// Reads and checks HOST:PORT, [IPV6]:PORT or unix:PATH. InvalidArgument quotes `text` first.
absl::StatusOr<AddressParts> ParseAddress(absl::string_view text, AddressUse use);

// What ParseAddress() reads: "127.0.0.1:80", "[::1]:80", "name:80".
std::string AddressText(absl::string_view host, uint32_t port);
// The same, or "unix:/path".
std::string AddressText(const AddressParts& parts);

// `address`, as AddressText() writes it, for gRPC's clients and servers: they take it for a URI, so
// the path of a Unix socket is percent-encoded (RFC 3986).
std::string GrpcTarget(absl::string_view address);

// Whether only this machine reaches it: a Unix socket, 127.0.0.0/8, ::1 or localhost.
bool IsLocalAddress(const AddressParts& parts);

// Letters, digits, `-` and `_` in labels of at most 63 bytes between dots, at most 253 in all; a
// dot may end it.
bool IsDnsName(absl::string_view text);

// What a server's certificate can name: a DNS name, without a dot at its end, or an IP address.
// InvalidArgument quotes `name`.
absl::Status CheckTlsName(absl::string_view name);

struct IpAddress {
  std::array<uint8_t, 16> bytes{};
  size_t size = 0;  // 4 or 16

  friend bool operator==(const IpAddress&, const IpAddress&) = default;
};

// Four decimal numbers without leading zeros, or IPv6 without brackets or zone.
std::optional<IpAddress> ParseIp(absl::string_view text);

}  // namespace pinion
