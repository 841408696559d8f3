// Flow-control windows (RFC 9113 sections 5.2 and 6.9): how much may still be sent, and how much
// the peer may still send. Values; one thread.
#pragma once

#include <cstdint>

#include "absl/time/time.h"
#include "gateway/http2/frame.h"

namespace pinion::http2 {

// What the peer lets us send. Negative after it lowered SETTINGS_INITIAL_WINDOW_SIZE below what is
// in flight.
class SendWindow {
 public:
  explicit SendWindow(uint32_t bytes = kDefaultWindowBytes) : available_(bytes) {}

  int64_t available() const { return available_; }
  bool open() const { return available_ > 0; }

  // REQUIRES: bytes <= available().
  void Spend(uint32_t bytes) { available_ -= bytes; }

  // By WINDOW_UPDATE, or by a changed initial size (then also negative). False, and nothing
  // happens, beyond 2^31-1.
  [[nodiscard]] bool Add(int64_t bytes) {
    if (available_ + bytes > int64_t{kMaxWindowBytes}) return false;
    available_ += bytes;
    return true;
  }

 private:
  int64_t available_;
};

// What we let the peer send. Returned to it by WINDOW_UPDATE from half a window on, so that an
// update costs little and comes long before the peer has to stop.
class ReceiveWindow {
 public:
  explicit ReceiveWindow(uint32_t bytes = kDefaultWindowBytes) : size_(bytes), available_(bytes) {}

  // False when the peer sent more than it may.
  [[nodiscard]] bool Receive(uint32_t bytes) {
    if (int64_t{bytes} > available_) return false;
    available_ -= bytes;
    return true;
  }

  // Bytes left our hands. Returns the increment to announce now, or 0.
  uint32_t Return(uint32_t bytes) {
    returned_ += bytes;
    if (returned_ < size_ - size_ / 2) return 0;
    const uint32_t increment = returned_;
    available_ += increment;
    returned_ = 0;
    return increment;
  }

  // REQUIRES: Return() has just given an increment; announce `bytes` more with it.
  void Grow(uint32_t bytes) {
    size_ += bytes;
    available_ += bytes;
    grown_ += bytes;
  }

  // Our SETTINGS_INITIAL_WINDOW_SIZE took effect; `size` replaces the size that the window was made
  // with. What it has grown by stays.
  void Resize(uint32_t size) {
    size += grown_;
    available_ += int64_t{size} - int64_t{size_};
    size_ = size;
  }

  int64_t available() const { return available_; }
  uint32_t size() const { return size_; }
  // By how much Grow() made it larger.
  uint32_t grown() const { return grown_; }

 private:
  uint32_t size_;
  uint32_t returned_ = 0;
  uint32_t grown_ = 0;
  int64_t available_;
};

// Tells whether a window is what limits its sender: half of it came back within two round trips of
// the last time, so that the sender has to wait for the announcements.
class WindowPace {
 public:
  // Half a window was returned. `round_trip` zero: unknown, and the window is never the limit.
  [[nodiscard]] bool Starved(absl::Time now, absl::Duration round_trip) {
    const bool starved = now - returned_at_ < 2 * round_trip;
    returned_at_ = now;
    return starved;
  }

 private:
  absl::Time returned_at_ = absl::InfinitePast();
};

// What grown windows of one worker may have together beyond their first sizes: it bounds what
// streams hold whose readers were fast and then stopped.
class WindowBudget {
 public:
  explicit WindowBudget(size_t bytes) : left_(bytes) {}

  // All of `bytes`, or nothing.
  [[nodiscard]] bool Take(size_t bytes) {
    if (bytes > left_) return false;
    left_ -= bytes;
    return true;
  }
  void Give(size_t bytes) { left_ += bytes; }
  size_t left() const { return left_; }

 private:
  size_t left_;
};

}  // namespace pinion::http2
