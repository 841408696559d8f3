// Counters of one worker, added to on its thread and read from any: what the admin port shows.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

namespace pinion::proxy {

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

inline constexpr int kGrpcCodes = 17;

struct Stats {
  Counter connections;  // open now
  Counter connections_total;
  Counter calls;  // running now
  Counter calls_total;
  std::array<Counter, kGrpcCodes + 1>
      calls_by_code;  // ended, by grpc-status; the last: none seen (reset, or not gRPC)
  Counter refusals;   // answered by the gateway itself, for whatever reason
  Counter retries;
  Counter request_bytes;  // DATA
  Counter response_bytes;
};

}  // namespace pinion::proxy
