// Timers of one event loop: a heap of intrusive nodes, so that arming a call's deadline allocates
// nothing on the steady path. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/time/time.h"

namespace pinion::net {

class TimerQueue;

// Fires once for each Arm(). Cancelled by its destruction. The queue outlives it.
class Timer {
 public:
  using Callback = void (*)(void* argument);

  Timer(TimerQueue& queue, Callback callback, void* argument)
      : queue_(queue), callback_(callback), argument_(argument) {}
  ~Timer() { Cancel(); }
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  // Fires at the first turn at or after `at` (monotonic); replaces an earlier arming.
  void Arm(absl::Time at);
  void Cancel();
  bool armed() const { return index_ != kNone; }

 private:
  friend class TimerQueue;
  static constexpr size_t kNone = static_cast<size_t>(-1);

  TimerQueue& queue_;
  Callback callback_;
  void* argument_;
  absl::Time at_;
  uint64_t order_ = 0;
  size_t index_ = kNone;
};

class TimerQueue {
 public:
  TimerQueue() = default;
  TimerQueue(const TimerQueue&) = delete;
  TimerQueue& operator=(const TimerQueue&) = delete;

  // InfiniteFuture when no timer is armed.
  absl::Time next() const;

  // Fires all timers due at `now`, in order of their time, then of their arming. What they arm for
  // `now` or earlier waits for the next call.
  void RunDue(absl::Time now);

  size_t size() const { return heap_.size(); }

 private:
  friend class Timer;

  void Insert(Timer& timer);
  void Remove(Timer& timer);
  void SiftUp(size_t index);
  void SiftDown(size_t index);
  void Place(size_t index, Timer* timer);
  static bool Before(const Timer& a, const Timer& b);

  std::vector<Timer*> heap_;
  uint64_t next_order_ = 0;
};

}  // namespace pinion::net
