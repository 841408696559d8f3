// Counters of one worker, added to on its thread and read from any: what the admin port shows.
#pragma once

#include <array>

#include "base/counter.h"

namespace pinion::proxy {

inline constexpr int kGrpcCodes = 17;

struct Stats {
  Counter connections;  // open now
  Counter connections_total;
  Counter connections_aged;  // asked to go because of max_connection_age
  Counter calls;  // running now
  Counter calls_total;
  std::array<Counter, kGrpcCodes + 1>
      calls_by_code;  // ended, by grpc-status; the last: none seen (reset, or not gRPC)
  Counter refusals;   // answered by the gateway itself, for whatever reason
  Counter retries;         // attempts that followed another one, for whatever reason
  Counter retries_denied;  // by the retry budget or throttle
  Counter overloads;       // calls that a circuit breaker refused
  Counter request_bytes;  // DATA
  Counter response_bytes;
};

}  // namespace pinion::proxy
