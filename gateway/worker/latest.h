// The newest of what one thread tells another again and again: what nobody has taken yet is
// replaced, so that a receiver that comes late does it once. Thread-safe.
#pragma once

#include <optional>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "base/mutex.h"

namespace pinion::worker {

template <typename T>
class Latest {
 public:
  // True: nothing was waiting, so the receiver has to be told that something is now.
  [[nodiscard]] bool Put(T value) {
    const MutexLock lock(&mutex_);
    const bool first = !value_.has_value();
    value_ = std::move(value);
    return first;
  }

  // REQUIRES: a Put() returned true since the last time.
  T Take() {
    const MutexLock lock(&mutex_);
    return *std::exchange(value_, std::nullopt);
  }

 private:
  Mutex mutex_;
  std::optional<T> value_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace pinion::worker
