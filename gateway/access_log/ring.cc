#include "gateway/access_log/ring.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"

namespace pinion::access_log {

Ring::Ring(size_t bytes) : mask_(bytes - 1), bytes_(std::make_unique_for_overwrite<char[]>(bytes)) {
  CHECK(bytes != 0 && (bytes & mask_) == 0);
}

bool Ring::Push(absl::string_view line) {
  const size_t tail = tail_.load(std::memory_order_relaxed);
  const size_t capacity = mask_ + 1;
  if (line.size() > capacity - (tail - head_seen_)) {
    head_seen_ = head_.load(std::memory_order_acquire);
    if (line.size() > capacity - (tail - head_seen_)) return false;
  }
  const size_t at = tail & mask_;
  const size_t first = std::min(line.size(), capacity - at);
  std::memcpy(bytes_.get() + at, line.data(), first);
  std::memcpy(bytes_.get(), line.data() + first, line.size() - first);
  tail_.store(tail + line.size(), std::memory_order_release);
  return true;
}

bool Ring::HalfFull() {
  const size_t tail = tail_.load(std::memory_order_relaxed);
  const size_t half = (mask_ + 1) / 2;
  // What was seen last is never too much: only when it says yes the other side's line is touched.
  if (tail - head_seen_ > half) head_seen_ = head_.load(std::memory_order_acquire);
  return tail - head_seen_ > half;
}

absl::string_view Ring::Front() const {
  const size_t head = head_.load(std::memory_order_relaxed);
  const size_t there = tail_.load(std::memory_order_acquire) - head;
  const size_t at = head & mask_;
  return {bytes_.get() + at, std::min(there, mask_ + 1 - at)};
}

void Ring::Consume(size_t bytes) {
  head_.store(head_.load(std::memory_order_relaxed) + bytes, std::memory_order_release);
}

}  // namespace pinion::access_log
