// The bounds of following the registry (gateway/watch), each with its reason: the part of
// gateway/limits.h that calls know nothing of, but for what they propose.
#pragma once

#include <cstddef>
#include <cstdint>

#include "absl/time/time.h"

namespace pinion::limits {

// The registry speaks at least every five seconds; a stream that is silent for longer is dead,
// whatever TCP says, and another replica may answer.
inline constexpr absl::Duration kWatchSilenceMax = absl::Seconds(15);
// Between attempts to reach the registry, doubling from the first to the second, each with jitter.
inline constexpr absl::Duration kWatchBackoffMin = absl::Milliseconds(100);
inline constexpr absl::Duration kWatchBackoffMax = absl::Seconds(10);
// Gateways whose streams broke together come back one by one within this time. Calls do not wait
// for it.
inline constexpr absl::Duration kWatchReturnSpread = absl::Seconds(1);
// Before what was refused is asked for again, doubling: it may be a snapshot of some ten megabytes,
// and an operator's word ends the wait.
inline constexpr absl::Duration kWatchRefusedMin = absl::Seconds(1);
inline constexpr absl::Duration kWatchRefusedMax = absl::Minutes(1);
// How long a start with several addresses and no recording waits to hear that they lead to one
// registry. A replica that is away costs a start this much at most.
inline constexpr absl::Duration kWatchIdentifyMax = absl::Seconds(2);
// A gateway that has not heard for so long that its table is the registry's calls itself frozen: a
// registry that restarts is back by then.
inline constexpr absl::Duration kWatchFrozenAfter = absl::Seconds(30);
// The first change is published at once; what follows sooner than this is published together, since
// every worker takes over every table. Who moves pins one after the other does not wait for it.
inline constexpr absl::Duration kTableInterval = absl::Milliseconds(20);
// The same for tables that have only schemas in addition: those of a fleet come for minutes, and a
// change in between must find its own interval free.
inline constexpr absl::Duration kSchemaTableInterval = absl::Milliseconds(500);
// One message of the stream: far above the registry's chunks, far below what could exhaust memory.
inline constexpr int kWatchMessageBytesMax = 64 * 1024 * 1024;
// From this many instances on, losing more than half at once is taken for an accident
// (envoy#13072).
inline constexpr size_t kInstancesWatchedMin = 8;
// Schemas that are fetched at once, for reflection: they must not be in the way of changes.
inline constexpr size_t kSchemaFetchesMax = 4;
inline constexpr absl::Duration kSchemaFetchTimeout = absl::Seconds(30);
// Changes behind a recorded snapshot before a fresh one is asked for: replaying them stays a matter
// of milliseconds.
inline constexpr int64_t kRecordedChangesBytesMin = 4 * 1024 * 1024;
// Recorded changes are synced this often at most, so that the next ones seldom wait for the disk. A
// machine that loses power and then finds no registry starts from a state this much older.
inline constexpr absl::Duration kRecordingSyncInterval = absl::Seconds(1);
// A disk that was full or broken is tried again after this time.
inline constexpr absl::Duration kRecordingRetry = absl::Minutes(1);

// ---- pins that first calls propose (pin_on_first_call) ----

// Each worker remembers so many (consumer, service) for so long and proposes each once: a caller
// that makes a thousand calls a second before its pin arrives proposes once, and what was lost on
// the way is proposed again. More are dropped and counted; the next call asks again.
inline constexpr size_t kPinProposalsRemembered = 1024;
inline constexpr absl::Duration kPinProposalRest = absl::Seconds(10);
// Of all workers, while the registry is away or busy: some hundred KiB. Further ones are dropped
// and counted; later calls propose again.
inline constexpr size_t kPinProposalsQueuedMax = 4096;
// Each is a durable transaction of the registry, a millisecond or a few: one call of some tenths of
// a second at a time, and never more than some hundred pins a second from one gateway.
inline constexpr size_t kPinProposalsPerRequest = 64;
inline constexpr absl::Duration kPinProposalInterval = absl::Milliseconds(100);
inline constexpr absl::Duration kPinProposalRetry = absl::Seconds(1);
inline constexpr absl::Duration kPinProposalTimeout = absl::Seconds(10);

// ---- reports of what calls use ----

// What calls did is known this soon; a transaction of the registry for each gateway as often.
inline constexpr absl::Duration kReportInterval = absl::Seconds(30);
inline constexpr absl::Duration kReportRetry = absl::Seconds(5);
inline constexpr absl::Duration kReportTimeout = absl::Seconds(10);
// What the registry takes at once: some ten KiB, a few milliseconds of its disk.
inline constexpr size_t kUsageRowsPerReport = 500;
inline constexpr size_t kOpenVersionsPerReport = 500;
// By (consumer, version, method), of all workers, while the registry is away: some megabytes.
// Further ones are counted by version, and beyond so many versions dropped and counted.
inline constexpr size_t kUsageRowsKept = 16'384;
inline constexpr size_t kUsageVersionsKept = 4096;

}  // namespace pinion::limits
