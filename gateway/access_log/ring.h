// Bytes from one thread to another without locks: whole lines in, whatever is there out. Bounded;
// a line that does not fit is not taken. One producer, one consumer.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>

#include "absl/strings/string_view.h"

namespace pinion::access_log {

class Ring {
 public:
  // REQUIRES: `bytes` is a power of two.
  explicit Ring(size_t bytes);
  Ring(const Ring&) = delete;
  Ring& operator=(const Ring&) = delete;

  // ---- producer ----

  // False: there is no room for all of it, and nothing was taken.
  bool Push(absl::string_view line);
  // More than half of the memory waits for the consumer.
  bool HalfFull();

  // ---- consumer ----

  // The oldest bytes up to the end of the memory or of what is there; empty: there are none.
  absl::string_view Front() const;
  void Consume(size_t bytes);

 private:
  const size_t mask_;
  const std::unique_ptr<char[]> bytes_;
  // Positions that only grow. Each side writes one; apart, so that neither takes the other's line
  // out of its cache.
  alignas(64) std::atomic<size_t> tail_{0};
  size_t head_seen_ = 0;  // the producer's: head_ as last looked up
  alignas(64) std::atomic<size_t> head_{0};
};

}  // namespace pinion::access_log
