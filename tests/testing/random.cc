#include "tests/testing/random.h"

#include <algorithm>
#include <bit>

#include "base/check.h"

namespace pinion::testing {

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

}  // namespace pinion::testing
