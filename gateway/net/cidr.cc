#include "gateway/net/cidr.h"

#include <arpa/inet.h>

#include <cstring>
#include <optional>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace pinion::net {
namespace {

constexpr int kMappedBits = 96;

std::optional<std::array<uint8_t, 16>> ParseAddress(const std::string& text) {
  std::array<uint8_t, 16> address{};
  if (inet_pton(AF_INET6, text.c_str(), address.data()) == 1) return address;
  address[10] = address[11] = 0xff;
  if (inet_pton(AF_INET, text.c_str(), address.data() + 12) == 1) return address;
  return std::nullopt;
}

// "127.0.0.1:80" → "127.0.0.1", "[::1]:80" → "::1".
std::string HostOf(absl::string_view peer) {
  if (absl::StartsWith(peer, "unix:")) return "127.0.0.1";
  const absl::string_view host = peer.substr(0, peer.rfind(':'));
  if (absl::StartsWith(host, "[") && absl::EndsWith(host, "]")) {
    return std::string(host.substr(1, host.size() - 2));
  }
  return std::string(host);
}

}  // namespace

absl::StatusOr<Cidr> Cidr::Parse(absl::string_view text) {
  const size_t slash = text.find('/');
  const std::string host(text.substr(0, slash));
  const auto address = ParseAddress(host);
  if (!address.has_value()) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", text, "' is not an address range; write for example 10.0.0.0/8"));
  }
  const bool v4 = !absl::StrContains(host, ':');
  const int bits_max = v4 ? 32 : 128;
  int bits = bits_max;
  if (slash != absl::string_view::npos &&
      (!absl::SimpleAtoi(text.substr(slash + 1), &bits) || bits < 0 || bits > bits_max)) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", text, "': the prefix length is a number from 0 to ", bits_max));
  }
  Cidr cidr;
  cidr.address_ = *address;
  cidr.bits_ = v4 ? bits + kMappedBits : bits;
  return cidr;
}

bool Cidr::Contains(absl::string_view peer) const {
  const auto address = ParseAddress(HostOf(peer));
  if (!address.has_value()) return false;
  const int whole = bits_ / 8;
  if (std::memcmp(address->data(), address_.data(), whole) != 0) return false;
  const int rest = bits_ % 8;
  if (rest == 0) return true;
  const uint8_t mask = static_cast<uint8_t>(0xff << (8 - rest));
  return ((*address)[whole] & mask) == (address_[whole] & mask);
}

}  // namespace pinion::net
