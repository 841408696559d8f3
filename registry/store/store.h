// What the registry keeps its state in: keys with revisions, transactions, watches and leases. The
// contract is etcd's, so that an embedded file and a cluster of etcd serve alike;
// store_contract_test.cc runs over every implementation.
//
// Owned by main(), used by registry/service from any thread: every method is thread-safe and may
// block on the disk or the network.
//
// Revisions: an empty store is at revision 1; each transaction that changes something makes exactly
// one more, and gives it to all keys that it changes. Once acknowledged, a change is on disk.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "registry/store/txn.h"

namespace pinion::store {

inline constexpr absl::Duration kMinLeaseTtl = absl::Seconds(1);
inline constexpr absl::Duration kMaxLeaseTtl = absl::Hours(24);

struct RangeRequest {
  KeyRange range;
  Revision revision = 0;  // state to read; 0: the newest
  size_t limit = 0;       // 0: all
  bool descending = false;
  bool keys_only = false;
  bool count_only = false;
};

struct RangeResult {
  std::vector<KeyValue> kvs;  // by key
  bool more = false;          // `limit` cut it
  int64_t count = 0;          // count_only: the number of keys; else kvs.size()
  Revision revision = 0;      // of the state that was read
};

// What stands under each of the keys that were asked for; nullopt: nothing.
struct Pairs {
  std::vector<std::optional<KeyValue>> kvs;
  Revision revision = 0;  // of the state that was read
};

struct Event {
  KeyValue kv;  // a deletion: only key and mod_revision
  bool deleted = false;
  std::optional<KeyValue> previous;  // what it replaced
};

struct WatchBatch {
  std::vector<Event> events;  // by revision, then key; a revision is never split
  Revision through = 0;       // every event up to this revision has now been given
};

// One reader's place in the sequence of changes. Used by one thread, but for Cancel(). Dies before
// its store.
class Watcher {
 public:
  virtual ~Watcher() = default;

  // Waits until there is something, at most `timeout`; then a batch without events says how far the
  // store is. OutOfRange: what comes next is compacted; Cancelled: Cancel() was called.
  virtual absl::StatusOr<WatchBatch> Next(absl::Duration timeout) = 0;

  // Thread-safe. Ends a Next() that waits, and all later ones.
  virtual void Cancel() = 0;
};

struct ExpiredLease {
  LeaseId id = 0;
  std::vector<std::string> keys;  // still attached to it
};

class Store {
 public:
  virtual ~Store() = default;

  // OutOfRange: `revision` is compacted or not there yet.
  virtual absl::StatusOr<RangeResult> Range(const RangeRequest& request) = 0;

  // What stands under `keys`, at most kMaxTxnOps of them, all at `revision`; 0: at Newest(), which
  // a store elsewhere learns in the same round trip. Errors are those of Range().
  virtual absl::StatusOr<Pairs> ReadKeys(const std::vector<std::string>& keys, Revision revision);

  // A compare that fails is not an error. InvalidArgument: beyond the limits, or a key changed
  // twice. NotFound: no such lease. ResourceExhausted: the disk is full; nothing happened, reading
  // goes on. Unavailable: nothing happened, or IsOutcomeUnknown(). A failed fsync ends the process.
  virtual absl::StatusOr<TxnResult> Commit(Txn txn) = 0;

  // Events after `after` (0: from the oldest there is) on keys in `range`.
  virtual std::unique_ptr<Watcher> Watch(KeyRange range, Revision after) = 0;

  // Forgets states before `revision`: it can still be read, and watched from. What is compacted
  // already is nothing. OutOfRange: there is no such revision yet.
  virtual absl::Status Compact(Revision revision) = 0;

  // At least that of every change that any process was told is done before this call.
  virtual absl::StatusOr<Revision> Newest() { return revision(); }
  virtual Revision revision() const = 0;  // that this process has seen
  virtual Revision compact_revision() const = 0;

  // Leases: kept on disk with their TTL, counted on the monotonic clock. When the first process
  // opens a store each gets its full TTL again. Granting, renewing and expiring make no revision.
  virtual absl::StatusOr<LeaseId> GrantLease(absl::Duration ttl) = 0;

  // Full TTL from now; returns it. NotFound: unknown or run out, noticed or not. Touches no disk.
  virtual absl::StatusOr<absl::Duration> RenewLease(LeaseId id) = 0;

  // Those that have run out. Whoever asks deletes the keys in transactions of its own, which can
  // hold more than deletions (an audit record), and then revokes; until then they stay here.
  virtual absl::StatusOr<std::vector<ExpiredLease>> ExpiredLeases() = 0;

  // Ends a lease, and deletes the keys still attached to it in one transaction. NotFound: unknown.
  virtual absl::Status RevokeLease(LeaseId id) = 0;

  // What the last transaction met, if it failed: ResourceExhausted while the disk is full.
  virtual absl::Status last_commit() const { return absl::OkStatus(); }
  virtual std::string Describe() const = 0;  // for people, e.g. "sqlite /var/lib/pinion.db"
};

absl::Status ValidateLeaseTtl(absl::Duration ttl);

}  // namespace pinion::store
