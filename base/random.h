// A small, fast, seedable source of randomness (SplitMix64), the same on every platform, so that
// simulations replay. Not for secrets. One thread.
#pragma once

#include <cstdint>

#include "base/check.h"

namespace pinion {

class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}

  uint64_t Next() {
    uint64_t z = (state_ += 0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }

  // 0 ≤ result < bound. REQUIRES: bound > 0.
  uint64_t Below(uint64_t bound) {
    DCHECK(bound > 0);
    return static_cast<uint64_t>((static_cast<unsigned __int128>(Next()) * bound) >> 64);
  }

 private:
  uint64_t state_;
};

}  // namespace pinion
