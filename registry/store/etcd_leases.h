// The contract's leases at an etcd, whose own would delete the keys when they run out, without a
// word to the audit log. So each is two of etcd's:
//
//   the lease      has the keys; granted for a century and its TTL, which so need not be kept
//                  anywhere else; ends when it is revoked
//   the heartbeat  has the TTL and no keys; while it lives, the lease has not run out
//
// and each process that works on the store has a third kind, its presence, without keys: by it
// those that start know whether the leases have been renewed all the time.
//
//   id, 63 bits:   hash of the prefix (32) │ random (29) │ kind (2)
//
// Granting, renewing and running out make no revision. Thread-safe; calls block. Owned by
// EtcdStore.
#pragma once

#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/statusor.h"
#include "base/mutex.h"
#include "registry/store/etcd_connection.h"
#include "registry/store/etcd_encoding.h"
#include "registry/store/store.h"

namespace pinion::store {

class EtcdLeases {
 public:
  // Both outlive it.
  EtcdLeases(EtcdConnection& connection, const EtcdEncoding& encoding, const std::string& prefix);
  // Takes its presence back, if etcd answers at once.
  ~EtcdLeases();

  // When no other process runs, nobody could renew: then each lease gets its full TTL again. One
  // that was killed leaves its presence behind, and counts for three seconds more.
  absl::Status Start();

  // As Store's. ExpiredLeases() also renews the presence, so it is to be called every second.
  absl::StatusOr<LeaseId> Grant(absl::Duration ttl);
  absl::StatusOr<absl::Duration> Renew(LeaseId id);
  absl::StatusOr<std::vector<ExpiredLease>> Expired();
  absl::Status Revoke(LeaseId id);

  // NotFound: a put of `txn` names a lease that has run out.
  absl::Status CheckLive(const Txn& txn);

 private:
  enum class Kind : int64_t { kLease = 0, kHeartbeat = 1, kPresence = 2 };

  LeaseId NewId(Kind kind) const;
  bool Is(LeaseId id, Kind kind) const;
  // Those on this prefix.
  absl::StatusOr<absl::flat_hash_set<LeaseId>> List();
  // AlreadyExists: somebody has this id.
  absl::Status GrantNative(LeaseId id, int64_t ttl_seconds);
  // Its TTL in seconds. NotFound: there is none.
  absl::StatusOr<int64_t> RenewNative(LeaseId id);
  absl::StatusOr<etcdserverpb::LeaseTimeToLiveResponse> Look(LeaseId id, bool keys);
  absl::Status RevokeNative(LeaseId id, EtcdDeadline deadline);
  // Whether a presence among `all` was renewed so lately that its process must be living.
  absl::StatusOr<bool> OthersLive(const absl::flat_hash_set<LeaseId>& all);
  absl::Status Revive(LeaseId lease, bool heartbeat_lives);
  absl::Status RenewPresence();

  EtcdConnection& connection_;
  const EtcdEncoding& encoding_;
  const LeaseId base_;  // the hash in its place
  Mutex mutex_;
  LeaseId presence_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace pinion::store
