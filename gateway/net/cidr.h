// An address range, and whether a peer is in it. A value; any thread.
#pragma once

#include <array>
#include <cstdint>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace pinion::net {

class Cidr {
 public:
  // "10.0.0.0/8", "::1/128", "192.0.2.7". InvalidArgument says what is wrong.
  static absl::StatusOr<Cidr> Parse(absl::string_view text);

  // `peer` as ByteStream::peer() gives it. A Unix socket counts as loopback; an IPv4-mapped IPv6
  // address as IPv4.
  bool Contains(absl::string_view peer) const;

 private:
  std::array<uint8_t, 16> address_{};  // IPv4 as ::ffff:a.b.c.d
  int bits_ = 128;
};

}  // namespace pinion::net
