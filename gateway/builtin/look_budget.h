// How many services reflection may look at: all that call for it on one worker share what there is,
// so that other calls keep theirs. Owned by the worker's Proxy; its thread.
#pragma once

#include <algorithm>
#include <cstddef>

#include "absl/time/time.h"
#include "gateway/builtin/limits.h"

namespace pinion::builtin {

class LookBudget {
 public:
  // False: what there was is used up for now. What is taken may be more than there is: the next
  // ones wait until it has come back.
  [[nodiscard]] bool Take(size_t services, absl::Time now) {
    const double came = absl::ToDoubleSeconds(now - filled_) * limits::kReflectionLooksPerSecond;
    left_ = std::min(left_ + came, limits::kReflectionLooksBurst);
    filled_ = now;
    if (left_ <= 0) return false;
    left_ -= static_cast<double>(services);
    return true;
  }

 private:
  double left_ = limits::kReflectionLooksBurst;
  absl::Time filled_ = absl::InfinitePast();
};

}  // namespace pinion::builtin
