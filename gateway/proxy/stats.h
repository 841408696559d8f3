// Counters of one worker, added to on its thread and read from any: what the admin port shows.
#pragma once

#include "base/counter.h"
#include "gateway/proxy/call_stats.h"

namespace pinion::proxy {

struct Stats {
  Counter connections;  // open now
  Counter connections_total;
  Counter connections_aged;  // asked to go because of max_connection_age
  Counter calls;             // running now
  Counter calls_total;
  CodeCounters calls_by_code;  // ended
  Counter retries;             // attempts that followed another one, for whatever reason
  Counter retries_denied;      // by the retry budget or throttle
  Counter overloads;           // calls that a circuit breaker refused
  Counter request_bytes;       // DATA
  Counter pin_proposals_dropped;
  Counter response_bytes;
  CallStats by_version;  // ended calls
};

}  // namespace pinion::proxy
