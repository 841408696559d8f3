// What scenarios draw, over the one generator (base/random.h): the same seed gives the same numbers
// on every platform and standard library. A value; one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>

#include "absl/time/time.h"
#include "base/random.h"

namespace pinion::testing {

class Random : public pinion::Random {
 public:
  using pinion::Random::Random;

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
  Random Fork() { return Random(Next()); }
};

}  // namespace pinion::testing
