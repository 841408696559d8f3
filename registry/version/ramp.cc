#include "registry/version/ramp.h"

#include <algorithm>

namespace pinion::version {
namespace {

constexpr uint64_t kFnvOffset = 0xcbf29ce484222325;
constexpr uint64_t kFnvPrime = 0x100000001b3;
constexpr uint64_t kHundredth = UINT64_MAX / 100;

uint64_t Fnv1a(uint64_t hash, absl::string_view bytes) {
  for (const char c : bytes) hash = (hash ^ static_cast<unsigned char>(c)) * kFnvPrime;
  return hash;
}

// No name contains NUL.
uint64_t WithSeparator(uint64_t hash, absl::string_view name) {
  return Fnv1a(Fnv1a(hash, name), absl::string_view("\0", 1));
}

}  // namespace

RampShare::RampShare(absl::string_view service, absl::string_view channel,
                     absl::string_view ramp_version, uint32_t percent)
    : prefix_(
          WithSeparator(WithSeparator(WithSeparator(kFnvOffset, service), channel), ramp_version)),
      end_(std::min(percent, 99u) * kHundredth) {}

uint64_t RampShare::Place(absl::string_view consumer) const {
  // FNV alone leaves the first bits of names that differ in their last byte alike.
  uint64_t hash = Fnv1a(prefix_, consumer);
  hash = (hash ^ hash >> 33) * 0xff51afd7ed558ccd;
  hash = (hash ^ hash >> 33) * 0xc4ceb9fe1a85ec53;
  return hash ^ hash >> 33;
}

const std::string& VersionFor(const routing::v1::Channel& channel, absl::string_view consumer) {
  if (!channel.has_ramp() || consumer.empty()) return channel.version();
  const routing::v1::Channel::Ramp& ramp = channel.ramp();
  const RampShare share(channel.service(), channel.name(), ramp.version(), ramp.percent());
  return share.Includes(consumer) ? ramp.version() : channel.version();
}

}  // namespace pinion::version
