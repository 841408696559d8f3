#include "gateway/net/cidr.h"

#include <algorithm>
#include <cstring>
#include <optional>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/address.h"

namespace pinion::net {
namespace {

constexpr int kMappedBits = 96;

// IPv4 as its mapped form.
std::optional<std::array<uint8_t, 16>> ParseMapped(absl::string_view text) {
  const std::optional<IpAddress> ip = ParseIp(text);
  if (!ip.has_value()) return std::nullopt;
  if (ip->size == 16) return ip->bytes;
  std::array<uint8_t, 16> mapped{};
  mapped[10] = mapped[11] = 0xff;
  std::copy_n(ip->bytes.begin(), ip->size, mapped.begin() + 12);
  return mapped;
}

// "127.0.0.1:80" → "127.0.0.1", "[::1]:80" → "::1".
absl::string_view HostOf(absl::string_view peer) {
  if (absl::StartsWith(peer, "unix:")) return "127.0.0.1";
  const absl::string_view host = peer.substr(0, peer.rfind(':'));
  if (absl::StartsWith(host, "[") && absl::EndsWith(host, "]")) {
    return host.substr(1, host.size() - 2);
  }
  return host;
}

}  // namespace

absl::StatusOr<Cidr> Cidr::Parse(absl::string_view text) {
  const size_t slash = text.find('/');
  const absl::string_view host = text.substr(0, slash);
  const auto address = ParseMapped(host);
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
  const auto address = ParseMapped(HostOf(peer));
  if (!address.has_value()) return false;
  const int whole = bits_ / 8;
  if (std::memcmp(address->data(), address_.data(), whole) != 0) return false;
  const int rest = bits_ % 8;
  if (rest == 0) return true;
  const uint8_t mask = static_cast<uint8_t>(0xff << (8 - rest));
  return ((*address)[whole] & mask) == (address_[whole] & mask);
}

}  // namespace pinion::net
