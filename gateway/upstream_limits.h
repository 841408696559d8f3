// Bounds of what goes to instances, each with its reason: connections, waiting calls, retries,
// instances that fail. Those that operators change have a field in protos/pinion/config/v1.
#pragma once

#include <cstddef>
#include <cstdint>

#include "absl/time/time.h"

namespace pinion::limits {

// TCP, (TLS) and the first SETTINGS of an instance.
inline constexpr absl::Duration kConnectTimeout = absl::Seconds(5);
// A call waits this long for a stream when all connections are full.
inline constexpr absl::Duration kPendingMax = absl::Seconds(10);
// Envoy's circuit breakers, for one version. Running calls have none unless it is configured: long
// streams are calls too, and the instances' own MAX_CONCURRENT_STREAMS holds what they cannot take.
inline constexpr size_t kConnectionsMax = 1024;
inline constexpr size_t kPendingCallsMax = 1024;
inline constexpr size_t kConnectionsPerInstanceMax = 64;
// Retries at the same time: Envoy's retry budget, against a storm when all of a version fails.
inline constexpr size_t kRetriesMin = 3;
inline constexpr size_t kRetryPercent = 20;
// gRFC A6's throttle: each failure that could be retried takes one of these tokens, each success
// gives a tenth back, and below half of them nothing is retried. So a burst of fifty is carried,
// and a version where more than about every tenth call fails is left in peace.
inline constexpr double kRetryTokens = 100;
inline constexpr double kRetryTokensPerSuccess = 0.1;
// gRFC A6: more attempts count as five; backoff varies by this share.
inline constexpr uint32_t kRetryAttemptsMax = 5;
inline constexpr double kRetryJitter = 0.2;
inline constexpr absl::Duration kRetryBackoffMin = absl::Milliseconds(100);
inline constexpr absl::Duration kRetryBackoffMax = absl::Seconds(1);
// grpc-retry-pushback-ms: a server that asks for more only delays the answer that it gave.
inline constexpr absl::Duration kRetryPushbackMax = absl::Minutes(5);
// Attempts of one call that never reached a server: each instance once, up to this many.
inline constexpr size_t kConnectAttemptsMax = 8;
// After a failed connection an instance rests, doubling from the first to the second.
inline constexpr absl::Duration kConnectBackoffMin = absl::Milliseconds(200);
inline constexpr absl::Duration kConnectBackoffMax = absl::Seconds(30);
// Calls in a row that an instance failed for reasons of its own before it gets none for a while, as
// long as another can take them: Envoy's outlier detection. The while grows with each time.
inline constexpr uint32_t kOutlierFailures = 5;
inline constexpr absl::Duration kOutlierRestMin = absl::Seconds(30);
inline constexpr absl::Duration kOutlierRestMax = absl::Minutes(5);
// Above this share of the instances it is the version that is ill, and resting would only move its
// load to fewer.
inline constexpr size_t kOutlierPercentMax = 50;
// A name may have several addresses, of which each connection gets the next: so many are tried
// before those who wait hear that the instance cannot be reached.
inline constexpr int kAddressesTriedMax = 3;
// An upstream connection without streams is given back; servers commonly close idle ones after five
// minutes or more.
inline constexpr absl::Duration kUpstreamIdleTimeout = absl::Minutes(4);
// Calls that we reset on one connection before it is replaced. Servers end one that resets too
// many, and with it the calls of callers who did nothing: netty at 200 in half a minute, Envoy at
// 500, nghttp2 at 1000 and 33 a second.
inline constexpr uint32_t kResetsSentBurst = 100;
inline constexpr uint32_t kResetsSentPerSecond = 5;
// A connection whose window is shut for as long: longer than a round trip to a server that reads,
// so that this one leaves somebody's request unread and calls had better begin elsewhere.
inline constexpr absl::Duration kChokedAfter = absl::Milliseconds(250);
// What may wait for an instance's socket before calls wait too, or begin on another connection.
// DATA stops at a quarter of it (kOutputHighWatermarkBytes), so that only header lists come so far:
// a thousand of ordinary size, or those of a few calls that want to do harm.
inline constexpr size_t kUnwrittenBytesMax = 1024 * 1024;
// gRPC servers send GOAWAY(ENHANCE_YOUR_CALM) to clients that ask more often than this.
inline constexpr absl::Duration kKeepaliveInterval = absl::Minutes(5);
inline constexpr absl::Duration kKeepaliveTimeout = absl::Seconds(20);
// From a new route table to giving back the connections of instances that it no longer has.
inline constexpr absl::Duration kSweepDelay = absl::Seconds(1);
// Request bytes kept so that a call which the server refused unseen can be sent again.
inline constexpr size_t kReplayBytesMax = 16 * 1024;
// The same where the service has a retry policy: gRPC's own buffer for one call.
inline constexpr size_t kRetryReplayBytesMax = 256 * 1024;

}  // namespace pinion::limits
