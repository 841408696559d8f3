// How often each bound of gateway/limits.h has acted: for metrics, so that an operator sees which
// one does. One for each worker, shared by all its connections; written on its thread, read from
// any.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "absl/strings/string_view.h"
#include "base/counter.h"

namespace pinion::http2 {

enum class Limit : uint8_t {
  // Floods, which end a connection with ENHANCE_YOUR_CALM.
  kPings,
  kSettings,
  kSettingsEntries,
  kGoAways,
  kEmptyFrames,
  kPriorities,
  kWindowUpdates,
  kResets,         // by the peer
  kFaultyStreams,  // streams that we had to reset for its faults
  kContinuations,
  kInterimResponses,
  kUnreadAnswers,  // control frames or bytes that wait for a peer that does not read
  // Single requests.
  kHeaderList,
  kConcurrentStreams,
  kReflection,  // beyond what calls leave time for
  // Connections.
  kPrefaceTimeout,
  kHeaderArrival,
  kIdleTimeout,
  kWriteStall,
  kMaxConnections,
  kHandshakes,
  // The process.
  kMemoryIdle,     // connections without calls that ended
  kMemoryCalls,    // refused
  kMemoryLargest,  // calls and connections that ended
  // Towards instances.
  kConnectTimeout,
  kPendingCalls,
  kPendingTime,
  kForeignAnswers,
  kResetsSent,  // connections replaced since their calls were reset too often
};
inline constexpr size_t kLimits = static_cast<size_t>(Limit::kResetsSent) + 1;

// The label of its metric, e.g. "pings".
absl::string_view LimitName(Limit limit);

class LimitCounters {
 public:
  void Add(Limit limit) { counts_[static_cast<size_t>(limit)].Add(); }
  uint64_t value(Limit limit) const { return counts_[static_cast<size_t>(limit)].value(); }

 private:
  std::array<Counter, kLimits> counts_;
};

}  // namespace pinion::http2
