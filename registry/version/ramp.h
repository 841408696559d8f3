// Which version a channel means for which consumer while it is ramped: a share of the consumers
// gets the ramp's version. Pure, and the same in every process and on every machine, since all
// gateways and the registry must agree.
//
// A consumer's place is FNV-1a of 64 bits over SERVICE NUL CHANNEL NUL VERSION NUL CONSUMER, where
// VERSION is the ramp's, mixed by the finaliser of MurmurHash3 (fmix64). It is among P per cent if
// its place is below P hundredths of 2^64. So a larger P only adds consumers, and another version
// begins with other consumers. None of this may ever change: consumers would change their versions.
#pragma once

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "pinion/routing/v1/routing.pb.h"

namespace pinion::version {

// The consumers of one ramp.
class RampShare {
 public:
  // 1 to 99 per cent; more counts as 99.
  RampShare(absl::string_view service, absl::string_view channel, absl::string_view ramp_version,
            uint32_t percent);

  bool Includes(absl::string_view consumer) const { return Place(consumer) < end_; }
  uint64_t Place(absl::string_view consumer) const;

 private:
  uint64_t prefix_;  // the hash of what all consumers have in common
  uint64_t end_;     // the first place outside
};

// The name of the version that `channel` means for a registered consumer, or for none (empty).
const std::string& VersionFor(const routing::v1::Channel& channel, absl::string_view consumer);

}  // namespace pinion::version
