#include "config/address.h"

#include <arpa/inet.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace pinion::config {
namespace {

using routing::v1::Address;
using routing::v1::SocketAddress;

constexpr uint32_t kMaxPort = 65535;

struct Ip {
  std::array<uint8_t, 16> bytes{};
  size_t size = 0;  // 4 or 16

  friend bool operator==(const Ip&, const Ip&) = default;
};

std::optional<Ip> ParseIp(const std::string& text) {
  Ip ip;
  if (inet_pton(AF_INET, text.c_str(), ip.bytes.data()) == 1) {
    ip.size = 4;
    return ip;
  }
  if (inet_pton(AF_INET6, text.c_str(), ip.bytes.data()) == 1) {
    ip.size = 16;
    return ip;
  }
  return std::nullopt;
}

std::string FormatIp(const Ip& ip) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  inet_ntop(ip.size == 4 ? AF_INET : AF_INET6, ip.bytes.data(), text.data(), text.size());
  return text.data();
}

bool IsWildcard(const Ip& ip) { return ip == Ip{{}, ip.size}; }

bool IsLoopback(const Ip& ip) {
  if (ip.size == 4) return ip.bytes[0] == 127;
  Ip one{{}, 16};
  one.bytes[15] = 1;
  return ip == one;
}

// What can be said of a host that is neither an IP address nor acceptable otherwise.
absl::Status BadHost(const std::string& host, Use use) {
  if (host.empty()) return absl::InvalidArgumentError("address is missing");
  if (host.front() == '[' && host.back() == ']') {
    return absl::InvalidArgumentError(
        absl::StrCat("\"", host, "\": an IPv6 address stands without brackets here"));
  }
  const size_t colon = host.rfind(':');
  uint32_t port = 0;
  if (colon != host.npos && colon > 0 && absl::SimpleAtoi(host.substr(colon + 1), &port)) {
    return absl::InvalidArgumentError(
        absl::StrCat("\"", host, "\": the port belongs into port_value"));
  }
  if (absl::StartsWith(host, "unix:") || host.front() == '/') {
    return absl::InvalidArgumentError(
        absl::StrCat("\"", host, "\": a Unix socket is written `pipe: {path: …}`"));
  }
  if (use == Use::kListen) {
    return absl::InvalidArgumentError(
        absl::StrCat("\"", host, "\" is not an IP address, which listening needs"));
  }
  return absl::InvalidArgumentError(
      absl::StrCat("\"", host, "\" is neither an IP address nor a DNS name"));
}

absl::Status CheckSocketAddress(const SocketAddress& address, Use use, std::string& field) {
  field = ".socket_address.address";
  const std::string& host = address.address();
  // A name of digits and dots only is an IP address with a slip in it, whatever DNS permits.
  const bool name = IsDnsName(host) && host.find_first_not_of("0123456789.") != host.npos;
  if (!ParseIp(host).has_value() && (use == Use::kListen || !name)) return BadHost(host, use);
  field = ".socket_address.port_value";
  if (address.port_value() > kMaxPort) {
    return absl::InvalidArgumentError(
        absl::StrCat("port ", address.port_value(), " is above ", kMaxPort));
  }
  if (address.port_value() == 0 && use == Use::kConnect) {
    return absl::InvalidArgumentError("port_value is missing (1 to 65535)");
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckAddress(const Address& address, Use use, std::string& field) {
  field.clear();
  switch (address.address_case()) {
    case Address::kSocketAddress:
      return CheckSocketAddress(address.socket_address(), use, field);
    case Address::kPipe: {
      field = ".pipe.path";
      const std::string& path = address.pipe().path();
      if (path.empty()) return absl::InvalidArgumentError("path is missing");
      constexpr size_t kMaxPathBytes = sizeof(sockaddr_un::sun_path) - 1;
      if (path.size() > kMaxPathBytes) {
        return absl::InvalidArgumentError(absl::StrCat("the path of a Unix socket has at most ",
                                                       kMaxPathBytes, " bytes; \"", path, "\" has ",
                                                       path.size()));
      }
      return absl::OkStatus();
    }
    case Address::ADDRESS_NOT_SET:
      break;
  }
  return absl::InvalidArgumentError("address is missing: give socket_address or pipe");
}

std::string ToString(const Address& address) {
  if (address.has_pipe()) return absl::StrCat("unix:", address.pipe().path());
  const SocketAddress& socket = address.socket_address();
  const bool v6 = absl::StrContains(socket.address(), ":");
  return absl::StrCat(v6 ? "[" : "", socket.address(), v6 ? "]:" : ":", socket.port_value());
}

bool IsLocal(const Address& address) {
  if (address.has_pipe()) return true;
  const std::string& host = address.socket_address().address();
  const std::optional<Ip> ip = ParseIp(host);
  return ip.has_value() ? IsLoopback(*ip) : absl::EqualsIgnoreCase(host, "localhost");
}

bool Collide(const Address& a, const Address& b) {
  if (a.has_pipe() || b.has_pipe()) {
    return a.has_pipe() && b.has_pipe() && a.pipe().path() == b.pipe().path();
  }
  const SocketAddress& left = a.socket_address();
  const SocketAddress& right = b.socket_address();
  if (left.port_value() != right.port_value() || left.port_value() == 0) return false;
  const std::optional<Ip> left_ip = ParseIp(left.address());
  const std::optional<Ip> right_ip = ParseIp(right.address());
  if (!left_ip.has_value() || !right_ip.has_value()) return left.address() == right.address();
  if (left_ip->size != right_ip->size) return false;
  return *left_ip == *right_ip || IsWildcard(*left_ip) || IsWildcard(*right_ip);
}

absl::Status CheckCidr(std::string_view text) {
  const std::pair<std::string, std::string> parts =
      absl::StrSplit(absl::string_view(text.data(), text.size()), absl::MaxSplits('/', 1));
  std::optional<Ip> ip = ParseIp(parts.first);
  const bool has_prefix = parts.first.size() != text.size();
  const auto bad = [&](const std::string& why) {
    return absl::InvalidArgumentError(
        absl::StrCat("\"", absl::string_view(text.data(), text.size()), "\" ", why));
  };
  if (!ip.has_value()) return bad("is not a network such as 10.0.0.0/8 or fd00::/8");
  const size_t bits = ip->size * 8;
  if (!has_prefix) {
    return bad(
        absl::StrCat("has no prefix length (did you mean \"", parts.first, "/", bits, "\"?)"));
  }
  uint32_t prefix = 0;
  if (parts.second.empty() || parts.second.find_first_not_of("0123456789") != std::string::npos ||
      !absl::SimpleAtoi(parts.second, &prefix) || prefix > bits) {
    return bad(absl::StrCat("has a prefix length that is not from 0 to ", bits));
  }
  Ip network = *ip;
  for (size_t bit = prefix; bit < bits; ++bit) {
    network.bytes[bit / 8] &= static_cast<uint8_t>(~(0x80u >> (bit % 8)));
  }
  if (network == *ip) return absl::OkStatus();
  return bad(absl::StrCat("has bits behind its prefix (did you mean \"", FormatIp(network), "/",
                          prefix, "\"?)"));
}

bool IsDnsName(std::string_view text) {
  if (text.empty() || text.size() > 253) return false;
  if (text.back() == '.') text.remove_suffix(1);
  for (absl::string_view label : absl::StrSplit(absl::string_view(text.data(), text.size()), '.')) {
    if (label.empty() || label.size() > 63 || label.front() == '-' || label.back() == '-') {
      return false;
    }
    for (const char c : label) {
      if (!absl::ascii_isalnum(static_cast<unsigned char>(c)) && c != '-' && c != '_') return false;
    }
  }
  return true;
}

absl::Status CheckHeaderName(std::string_view name_view) {
  const std::string name(name_view);
  const auto bad = [&](absl::string_view why) {
    return absl::InvalidArgumentError(absl::StrCat("header name \"", name, "\" ", why));
  };
  if (name.empty()) return absl::InvalidArgumentError("the header's name is missing");
  const std::string lower = absl::AsciiStrToLower(name);
  if (lower != name) {
    return bad(absl::StrCat("must be lower case (did you mean \"", lower, "\"?)"));
  }
  for (const char c : name) {
    if (!absl::ascii_isalnum(static_cast<unsigned char>(c)) && c != '-' && c != '_' && c != '.') {
      return bad("may only hold letters, digits, `-`, `_` and `.`");
    }
  }
  static constexpr const char* kOwned[] = {"te",           "host",           "connection",
                                           "content-type", "content-length", "transfer-encoding",
                                           "upgrade",      "user-agent",     "cookie"};
  const bool owned = std::any_of(std::begin(kOwned), std::end(kOwned),
                                 [&](const char* other) { return name == other; });
  if (owned || absl::StartsWith(name, "grpc-")) return bad("belongs to HTTP or gRPC");
  if (absl::EndsWith(name, "-bin")) return bad("would hold binary metadata");
  return absl::OkStatus();
}

}  // namespace pinion::config
