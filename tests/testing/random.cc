#include "tests/testing/random.h"

#include <algorithm>
#include <bit>

#include "base/check.h"

namespace pinion::testing {
namespace {

uint64_t SplitMix(uint64_t& state) {
  state += 0x9e3779b97f4a7c15;
  uint64_t z = state;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

}  // namespace

Random::Random(uint64_t seed) {
  for (uint64_t& word : state_) word = SplitMix(seed);
}

uint64_t Random::Next() {
  const uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
  const uint64_t shifted = state_[1] << 17;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= shifted;
  state_[3] = std::rotl(state_[3], 45);
  return result;
}

uint64_t Random::Below(uint64_t bound) {
  CHECK(bound > 0);
  return Next() % bound;
}

uint64_t Random::Between(uint64_t low, uint64_t high) {
  CHECK(low <= high);
  if (high - low == UINT64_MAX) return Next();
  return low + Below(high - low + 1);
}

absl::Duration Random::Between(absl::Duration low, absl::Duration high) {
  CHECK(low <= high);
  return low + absl::Nanoseconds(Between(
                   uint64_t{0}, static_cast<uint64_t>(absl::ToInt64Nanoseconds(high - low))));
}

size_t Random::Size(size_t max) {
  CHECK(max > 0);
  const size_t top = size_t{1} << Between(uint64_t{0}, static_cast<uint64_t>(std::bit_width(max)));
  return std::min<size_t>(Between(uint64_t{1}, uint64_t{top}), max);
}

Random Random::Fork() { return Random(Next()); }

}  // namespace pinion::testing
