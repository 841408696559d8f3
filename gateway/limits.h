// Every bound of the gateway, with its reason; those of what goes to instances are in
// upstream_limits.h, those of following the registry in watch_limits.h, those of TLS in
// tls_limits.h, those of the process's memory in memory_limits.h, those of logs, metrics and the
// admin port in observability_limits.h. Those that operators change have a field in
// protos/pinion/config/v1.
#pragma once

#include <cstddef>
#include <cstdint>

#include "absl/time/time.h"

namespace pinion::limits {

// ---- HTTP/2 connections (gateway/http2) ----

// What Envoy, nghttpx and HAProxy allow at the edge; a gRPC client opens further connections beyond
// it.
inline constexpr uint32_t kMaxConcurrentStreams = 100;
// RFC 9113's default: the most that one stream that nobody reads can hold.
inline constexpr uint32_t kStreamWindowBytes = 64 * 1024;
// Sixteen full streams in flight before the first WINDOW_UPDATE comes back.
inline constexpr uint32_t kConnectionWindowBytes = 1024 * 1024;
// What Envoy grows them to: 16 MiB is 100 Mbit/s over 1.3 s, or 2.5 Gbit/s over 50 ms.
inline constexpr uint32_t kStreamWindowBytesMax = 16 * 1024 * 1024;
inline constexpr uint32_t kConnectionWindowBytesMax = 24 * 1024 * 1024;
// What all grown windows of one worker may have beyond their first size: readers that stop after
// having been fast hold no more than this together.
inline constexpr size_t kGrownWindowBytesMax = 64 * 1024 * 1024;
// Decoded, name + value + 32 each; trailers are counted by themselves.
inline constexpr uint32_t kMaxHeaderListBytes = 60 * 1024;
inline constexpr uint32_t kMaxHeaderFields = 100;
inline constexpr uint32_t kHeaderListTimes = 16;  // as many bytes end the connection
// RFC 9113's default; larger frames only make other streams wait longer.
inline constexpr uint32_t kMaxFrameBytes = 16 * 1024;
// RFC 7541's default, both ways.
inline constexpr uint32_t kHpackTableBytes = 4096;
// gRPC sends one or two; an endless series is CVE-2024-27316.
inline constexpr uint32_t kMaxContinuations = 8;
// A name or value as it is on the wire, and what a decoder may have to hold of one that comes in
// pieces: as much as a block may have, since one that is too long is its own call's matter and not
// that of all calls on the connection.
inline constexpr uint32_t kHeaderStringBytesMax = (1 + kMaxContinuations) * kMaxFrameBytes;
inline constexpr uint32_t kMaxSettingsEntries = 32;
// Until a server has said how many streams it takes.
inline constexpr uint32_t kAssumedPeerMaxStreams = 100;
// Enough for one wake-up's worth of a fast sender; more would only queue what the socket does not
// take.
inline constexpr size_t kOutputHighWatermarkBytes = 256 * 1024;
// A peer that sends but does not read makes us queue answers (PING, SETTINGS, RST): the connection
// ends here.
inline constexpr size_t kControlFramesQueuedMax = 1000;
// All that waits for the socket, headers included (DATA already stops at the watermark): refusals
// that the peer never reads.
inline constexpr size_t kOutputBytesMax = 4 * 1024 * 1024;
// What one stream may send before the next in turn, when several wait.
inline constexpr size_t kSendTurnBytes = 64 * 1024;
inline constexpr size_t kSlabBytes = 16 * 1024;
// What a worker keeps for reuse: 4 MiB of slabs, 1 MiB of streams (both of 4,000 calls), 5 MiB of
// header blocks (one batch's worth).
inline constexpr size_t kSlabsKeptMax = 256;
inline constexpr size_t kStreamsKeptMax = 8192;
inline constexpr size_t kHeaderBlocksKeptMax = 1024;
inline constexpr size_t kEventBatchesKeptMax = 4;
// Our resets whose late frames are ignored; beyond it they are answered with another reset.
inline constexpr size_t kResetsRemembered = 256;
// One batch of events: bounds what a compressed header flood can expand to before somebody acts on
// it. Few, so that what a batch fills (header blocks above all) is still in the nearest cache when
// it is read, and used again by the next.
inline constexpr size_t kEventsPerBatchMax = 32;
inline constexpr size_t kDecodedBytesPerBatchMax = 256 * 1024;

// ---- floods: half-decaying counts a second ----

inline constexpr uint32_t kPingsPerSecond = 100;
// A gRPC peer measures its bandwidth-delay product with a PING after DATA, one at a time: thousands
// a second on a short path. Each is paid for by a DATA frame that we sent; a long download earns
// the right to ten seconds of what is free.
inline constexpr uint32_t kPingsPaidMax = 1000;
inline constexpr uint32_t kSettingsPerSecond = 50;
inline constexpr uint32_t kEmptyDataPerSecond = 100;
// Rapid Reset (CVE-2023-44487) and MadeYouReset (CVE-2025-8671): a bucket each; completed calls
// give tokens back, since gRPC clients cancel on deadlines over connections that live for weeks.
inline constexpr uint32_t kResetBurst = 1000;
inline constexpr uint32_t kResetsPerSecond = 33;
// Times 1 + active streams.
inline constexpr uint32_t kPriorityPerStream = 100;
// 1xx responses: a server may send them without end, and each costs the calls of others its time.
inline constexpr uint32_t kInterimPerSecond = 100;
// WINDOW_UPDATE is paid for by what it answers, 2 × (streams + 10 × DATA sent) as in Envoy, so that
// a fast download never looks like a flood; a hundred a second are free; a long download earns no
// right to a flood.
inline constexpr uint32_t kWindowUpdatesAtFirst = 100;
inline constexpr uint32_t kConnectionWindowUpdatesPerSecond = 100;
inline constexpr uint32_t kWindowUpdatesPerStream = 2;
inline constexpr uint32_t kWindowUpdatesPerDataFrame = 20;
inline constexpr uint32_t kWindowUpdatesMax = 20000;

// ---- routing ----

// A method path. gRPC's own names are below 200 bytes; the header list's bound would otherwise let
// a path of 60 KiB into logs and refusals. Longer: refused as malformed.
inline constexpr size_t kMaxMethodPathBytes = 1024;

// Resolutions of `api-version` values that no pin uses, kept by one worker for one route table. The
// values come from callers, who can invent any number; real ones are few. Full: the oldest half is
// forgotten, which costs a parse and nothing else.
inline constexpr size_t kMaxHeaderResolutions = 1024;

// Distinct expressions that pins of one service use at the same time, and methods known of one
// service: a pin refers to each in 16 bits, which keeps it at 12 bytes. More: the change is
// refused.
inline constexpr size_t kMaxExpressionsPerService = 65535;
inline constexpr size_t kMaxMethodsPerService = 65535;

// Entitlements of one service, as many as a registry takes: a change of one copies the map of all.
inline constexpr size_t kMaxEntitlementsPerService = 10'000;

// One identity of a consumer. SPIFFE's own bound on an id; DNS names and JWT claims are shorter.
inline constexpr size_t kMaxIdentityBytes = 2048;

// What a refusal adds to a response, grpc-message and grpc-status-details-bin as sent. Clients and
// proxies commonly bound a header list at 8 KiB, and trailers share it with the application's own.
// Longer: variables are cut, then lists.
inline constexpr size_t kMaxRefusalBytes = 4096;

// Versions listed in a refusal, nearest first: enough to spot a typing error, and they fit.
inline constexpr size_t kMaxRefusalVersions = 10;

// ---- sockets (gateway/net) ----

// One lookup and its repetition stay below the default connect timeout.
inline constexpr uint32_t kDnsTimeoutMilliseconds = 2000;
inline constexpr int kDnsTries = 2;
// Established connections get their turn between two rushes of new ones.
inline constexpr int kAcceptsPerTurn = 64;
// Out of file descriptors: long enough not to spin, short enough that callers only see a slow
// handshake.
inline constexpr uint32_t kAcceptRetryMilliseconds = 100;

// ---- connections (gateway/transport, proxy, upstream) ----

// One buffer a worker; a few hundred small calls, or four full DATA frames, in one read.
inline constexpr size_t kReadBufferBytes = 64 * 1024;
// Then the other connections of the worker come first.
inline constexpr int kReadsPerTurn = 4;
// Calls that a peer may begin in one turn, above what it may have open: more are only begun by one
// whose calls end at once, refused or reset, and each takes as long as it costs to refuse it. Then
// the others come first, and the next read is half as large.
inline constexpr uint32_t kStreamsPerTurn = 128;
inline constexpr size_t kReadBytesMin = 4 * 1024;
// How often a busy connection asks the kernel for its round-trip time, and after how many bytes:
// windows are judged by it.
inline constexpr absl::Duration kRoundTripInterval = absl::Milliseconds(100);
inline constexpr size_t kRoundTripBytes = 32 * 1024;
// Output that nobody reads: nghttpx's and Envoy's bound is of this size.
inline constexpr absl::Duration kWriteStallMax = absl::Seconds(60);
// After our last words, for the peer to close: longer than a round trip, too short to hoard
// sockets.
inline constexpr absl::Duration kLinger = absl::Seconds(1);
// From accept() to the client's first SETTINGS.
inline constexpr absl::Duration kPrefaceTimeout = absl::Seconds(10);
// From a header block's beginning to its end, on either side: all frames of a connection wait for
// it (RFC 9113 section 6.10). nghttpx's bound, and far more than a slow link takes for 60 KiB.
inline constexpr absl::Duration kHeaderArrivalMax = absl::Seconds(10);
// Connections of a worker that are not through with the handshakes of TLS and HTTP/2. At this many
// it accepts no more, and ends those that take longer than any client that is near: what holds
// these places does not hold them for kPrefaceTimeout. A second's worth of full handshakes.
inline constexpr size_t kHandshakesMax = 1000;
inline constexpr absl::Duration kHandshakePatience = absl::Seconds(1);
// A downstream connection without streams.
inline constexpr absl::Duration kIdleTimeout = absl::Hours(1);
// An answer that is not gRPC, read to its end before its caller hears of it: an error page, and
// what remains of one that has begun to arrive. Longer: the stream is reset.
inline constexpr size_t kForeignAnswerBytesMax = 64 * 1024;
inline constexpr absl::Duration kForeignAnswerMax = absl::Seconds(1);
// Between GOAWAY(2^31−1) and the final one, when the peer does not answer the PING.
inline constexpr absl::Duration kGoAwayGrace = absl::Seconds(1);
inline constexpr absl::Duration kDrainTimeout = absl::Seconds(30);
// gRFC A9: of a connection's greatest age.
inline constexpr double kAgeJitter = 0.1;
inline constexpr uint32_t kMaxConnections = 10000;

// A health or reflection request names one thing; answers may be large, requests are not.
inline constexpr size_t kBuiltinMessageBytesMax = 64 * 1024;
// Requests of one such call that wait until their answers are read.
inline constexpr size_t kBuiltinBacklogBytesMax = 256 * 1024;

}  // namespace pinion::limits
