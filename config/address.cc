#include "config/address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "registry/model/address.h"

namespace pinion::config {
namespace {

using routing::v1::Address;
using routing::v1::SocketAddress;

std::string FormatIp(const IpAddress& ip) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  inet_ntop(ip.size == 4 ? AF_INET : AF_INET6, ip.bytes.data(), text.data(), text.size());
  return text.data();
}

bool IsWildcard(const IpAddress& ip) { return ip == IpAddress{{}, ip.size}; }

}  // namespace

absl::Status CheckAddress(const Address& address, AddressUse use, std::string& field) {
  field.clear();
  if (address.address_case() == Address::ADDRESS_NOT_SET) {
    return absl::InvalidArgumentError("address is missing: give socket_address or pipe");
  }
  AddressPart wrong;
  absl::Status status = pinion::CheckAddress(model::PartsOf(address), use, &wrong);
  if (status.ok()) return status;
  switch (wrong) {
    case AddressPart::kHost:
      field = ".socket_address.address";
      break;
    case AddressPart::kPort:
      field = ".socket_address.port_value";
      break;
    case AddressPart::kPath:
      field = ".pipe.path";
      break;
  }
  return status;
}

std::string ToString(const Address& address) { return model::AddressText(address); }

bool IsLocal(const Address& address) { return IsLocalAddress(model::PartsOf(address)); }

bool Collide(const Address& a, const Address& b) {
  if (a.has_pipe() || b.has_pipe()) {
    return a.has_pipe() && b.has_pipe() && a.pipe().path() == b.pipe().path();
  }
  const SocketAddress& left = a.socket_address();
  const SocketAddress& right = b.socket_address();
  if (left.port_value() != right.port_value() || left.port_value() == 0) return false;
  const std::optional<IpAddress> left_ip = ParseIp(left.address());
  const std::optional<IpAddress> right_ip = ParseIp(right.address());
  if (!left_ip.has_value() || !right_ip.has_value()) return left.address() == right.address();
  if (left_ip->size != right_ip->size) return false;
  return *left_ip == *right_ip || IsWildcard(*left_ip) || IsWildcard(*right_ip);
}

absl::Status CheckCidr(std::string_view text) {
  const std::pair<std::string, std::string> parts =
      absl::StrSplit(absl::string_view(text.data(), text.size()), absl::MaxSplits('/', 1));
  std::optional<IpAddress> ip = ParseIp(parts.first);
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
  IpAddress network = *ip;
  for (size_t bit = prefix; bit < bits; ++bit) {
    network.bytes[bit / 8] &= static_cast<uint8_t>(~(0x80u >> (bit % 8)));
  }
  if (network == *ip) return absl::OkStatus();
  return bad(absl::StrCat("has bits behind its prefix (did you mean \"", FormatIp(network), "/",
                          prefix, "\"?)"));
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
