// Looks how much of its budget of memory the process uses and tells the workers, so that what ends
// is the idle and the largest rather than everything at once by the system's hand. Thread-safe;
// owned by Gateway.
#pragma once

#include <cstddef>
#include <functional>

#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "base/repeating_thread.h"
#include "gateway/proxy/memory_pressure.h"
#include "gateway/worker/process_memory.h"

namespace pinion::worker {

// For the admin port.
struct MemoryStatus {
  size_t used = 0;  // bytes, at the last look
  size_t budget = 0;
};

// What a guard looks at; another one in tests.
struct ProcessMemory {
  std::function<size_t()> used = MemoryUsed;
  std::function<void()> trim = TrimMemory;
};

class MemoryGuard {
 public:
  // Called by the thread that looks: while memory is short, and once when it no longer is.
  using Tell = std::function<void(proxy::MemoryPressure)>;

  // `budget`: bytes, above 0. `clock` outlives the guard.
  MemoryGuard(size_t budget, const Clock& clock, Tell tell, ProcessMemory process = {});
  MemoryGuard(const MemoryGuard&) = delete;
  MemoryGuard& operator=(const MemoryGuard&) = delete;

  // A thread of its own looks from now on. Once.
  void LookFromNowOn();
  // At once, on this thread; returns after how long to look again. Not beside LookFromNowOn().
  absl::Duration Look();

  MemoryStatus status() const;

 private:
  size_t Measure() const;
  void Log(proxy::MemoryStage stage, size_t used);

  const size_t budget_;
  const Clock& clock_;
  const Tell tell_;
  const ProcessMemory process_;

  // ---- of whoever looks ----
  proxy::MemoryStage told_ = proxy::MemoryStage::kPlenty;
  proxy::MemoryStage logged_ = proxy::MemoryStage::kPlenty;  // the worst of this shortage
  absl::Time short_at_;                                      // last

  mutable Mutex mutex_;
  size_t used_ ABSL_GUARDED_BY(mutex_) = 0;

  RepeatingThread thread_;
};

}  // namespace pinion::worker
