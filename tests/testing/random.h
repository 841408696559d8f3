// The only source of chance in simulations: the same seed gives the same numbers on every platform
// and standard library. A value; one thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <iterator>

#include "absl/time/time.h"

namespace pinion::testing {

// xoshiro256** (Blackman and Vigna), seeded by splitmix64.
class Random {
 public:
  explicit Random(uint64_t seed);

  uint64_t Next();

  // 0..bound-1, near enough to uniform. REQUIRES: bound > 0.
  uint64_t Below(uint64_t bound);

  // low..high, both included. REQUIRES: low <= high.
  uint64_t Between(uint64_t low, uint64_t high);
  absl::Duration Between(absl::Duration low, absl::Duration high);

  // True once in `n` times. REQUIRES: n > 0.
  bool OneIn(uint64_t n) { return Below(n) == 0; }

  // A size that is often small and seldom near `max`: 1..max, uniform in its number of bits.
  // REQUIRES: max > 0.
  size_t Size(size_t max);

  // REQUIRES: not empty.
  template <typename Container>
  auto& PickFrom(Container& container) {
    return container[Below(std::size(container))];
  }

  // A generator of its own for one part of a scenario, so that what that part draws leaves the
  // others' draws as they are.
  Random Fork();

 private:
  std::array<uint64_t, 4> state_;
};

}  // namespace pinion::testing
