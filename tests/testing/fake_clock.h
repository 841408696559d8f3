// A clock that stands still until a test moves it. Thread-safe.
#pragma once

#include "absl/base/thread_annotations.h"
#include "base/clock.h"
#include "base/mutex.h"

namespace pinion::testing {

class FakeClock : public Clock {
 public:
  absl::Time Monotonic() const override {
    MutexLock lock(&mutex_);
    return monotonic_;
  }
  absl::Time Wall() const override {
    MutexLock lock(&mutex_);
    return wall_;
  }

  // Both clocks.
  void Advance(absl::Duration by) {
    MutexLock lock(&mutex_);
    monotonic_ += by;
    wall_ += by;
  }
  // As an operator or NTP does: only what people call the time.
  void JumpWall(absl::Duration by) {
    MutexLock lock(&mutex_);
    wall_ += by;
  }

 private:
  mutable Mutex mutex_;
  absl::Time monotonic_ ABSL_GUARDED_BY(mutex_) = absl::UnixEpoch() + absl::Hours(1);
  absl::Time wall_ ABSL_GUARDED_BY(mutex_) = absl::FromUnixSeconds(1'800'000'000);
};

}  // namespace pinion::testing
