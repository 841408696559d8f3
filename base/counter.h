// A count that one thread adds to and any may read: for metrics.
#pragma once

#include <atomic>
#include <cstdint>

namespace pinion {

// Written by one thread, so that no read-modify-write is needed.
class Counter {
 public:
  void Add(uint64_t n = 1) {
    value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }
  void Subtract(uint64_t n = 1) { Add(~n + 1); }
  uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> value_{0};
};

}  // namespace pinion
