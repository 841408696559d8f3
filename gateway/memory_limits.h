// What the gateway does about the memory of its process, and when: docs/adr/0027. Each with its
// reason; the budget is in protos/pinion/config/v1.
#pragma once

#include <cstddef>

#include "absl/time/time.h"

namespace pinion::limits {

// Shares of the budget, Envoy's: where connections without calls end, calls are refused, and those
// that hold most of it end.
inline constexpr double kMemoryEndIdle = 0.92;
inline constexpr double kMemoryRefuseCalls = 0.95;
inline constexpr double kMemoryEndLargest = 0.98;
// A gateway that takes 1 GB/s grows by 100 MB meanwhile; from half of the budget on by 10 MB.
inline constexpr absl::Duration kMemoryLookInterval = absl::Milliseconds(100);
inline constexpr double kMemoryNear = 0.5;
inline constexpr absl::Duration kMemoryLookIntervalNear = absl::Milliseconds(10);
// Giving free memory back walks through the heap, and others wait for it: a tenth of the time.
inline constexpr double kMemoryLookPause = 10;
// After so long above no share, what comes next is another story for the log.
inline constexpr absl::Duration kMemoryCalm = absl::Seconds(10);
// The idle timeout while memory is short: callers that call again and again pause for less.
inline constexpr absl::Duration kIdleTimeoutShort = absl::Seconds(1);
// Calls of a worker that have ended and wait to be used again: as many as end in a turn of a busy
// one. What a burst needed beyond them goes back.
inline constexpr size_t kCallsKeptMax = 4096;
// What holds less is not worth its failure: calls with nothing but a message of usual size.
inline constexpr size_t kLargestBytesMin = 16 * 1024;

}  // namespace pinion::limits
