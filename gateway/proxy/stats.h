// Counters of one worker, added to on its thread and read from any: what the admin port shows.
#pragma once

#include <array>

#include "base/counter.h"

namespace pinion::proxy {

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
