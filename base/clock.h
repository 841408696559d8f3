// Time as the program sees it. Production code never reads a clock directly, so that tests run on
// virtual time.
#pragma once

#include "absl/time/time.h"

namespace pinion {

// Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;

  // Never goes backwards; unrelated to the wall clock. For timeouts, leases and durations.
  virtual absl::Time Monotonic() const = 0;

  // What people call the time; may jump. For records and messages only.
  virtual absl::Time Wall() const = 0;
};

// The machine's clock. Lives for ever.
Clock& SystemClock();

}  // namespace pinion
