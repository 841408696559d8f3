// Flow-control windows (RFC 9113 sections 5.2 and 6.9): how much may still be sent, and how much
// the peer may still send. Values; one thread.
#pragma once

#include <cstdint>

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

  // Our SETTINGS_INITIAL_WINDOW_SIZE took effect; `size` replaces the size that the window was made
  // with.
  void Resize(uint32_t size) {
    available_ += int64_t{size} - int64_t{size_};
    size_ = size;
  }

  int64_t available() const { return available_; }

 private:
  uint32_t size_;
  uint32_t returned_ = 0;
  int64_t available_;
};

}  // namespace pinion::http2
