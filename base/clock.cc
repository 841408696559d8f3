#include "base/clock.h"

#include <ctime>

#include "absl/time/clock.h"

namespace pinion {
namespace {

class RealClock final : public Clock {
 public:
  absl::Time Monotonic() const override {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return absl::TimeFromTimespec(now);
  }
  absl::Time Wall() const override { return absl::Now(); }
};

}  // namespace

Clock& SystemClock() {
  static RealClock clock;
  return clock;
}

}  // namespace pinion
