// Transactions at an etcd whose answer may not come: each is carried out once, or its caller is
// told that nobody knows.
//
// A transaction that puts something also puts its lane: a key of this process, used by one
// transaction at a time, whose revision it compares. When no answer came, the lane tells:
//
//            ┌── answered ──────────────────────────────────▶ result
//   commit ──┤
//            └── no answer ──▶ fence: put the lane, if it is as it was before the commit
//                                ├── it was: the commit can never be carried out any more ──▶ again
//                                └── it was not: the commit was carried out, at its revision
//
// Thread-safe; calls block. Owned by EtcdStore.
#pragma once

#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "base/mutex.h"
#include "registry/store/etcd_connection.h"
#include "registry/store/etcd_encoding.h"
#include "registry/store/store.h"

namespace pinion::store {

class EtcdCommitter {
 public:
  // Both outlive it.
  EtcdCommitter(EtcdConnection& connection, const EtcdEncoding& encoding);

  // As Store::Commit() of a valid transaction whose leases live. Unavailable: etcd did not answer;
  // the message says whether the change may have been made.
  absl::StatusOr<TxnResult> Commit(const Txn& txn);

  // Makes a revision that changes nothing of the contract's, so that a watch has something to give.
  absl::StatusOr<Revision> Mark();

  // Deletes the lanes of processes that have ended: those not used for a day. At the start.
  absl::Status SweepLanes();

 private:
  struct Lane {
    std::string key;
    Revision revision = 0;  // of its last put; 0: there is none
  };
  // What became of a commit that was not answered.
  struct Fate {
    bool carried_out = false;
    bool succeeded = false;  // which list
    Revision revision = 0;
  };

  absl::StatusOr<TxnResult> CommitOn(Lane& lane, const Txn& txn, bool& lane_is_known);
  // Of what can be carried out any number of times, or is told to be unknown.
  absl::StatusOr<TxnResult> CommitWithoutLane(const Txn& txn);
  etcdserverpb::TxnRequest Encode(const Lane* lane, const Txn& txn) const;
  EtcdVerdict Send(const etcdserverpb::TxnRequest& request, etcdserverpb::TxnResponse& response,
                   EtcdDeadline deadline);
  absl::StatusOr<Fate> Settle(Lane& lane, EtcdDeadline deadline);
  // The results of a commit whose answer was lost.
  absl::StatusOr<TxnResult> Reconstruct(const Txn& txn, const Fate& fate);
  absl::StatusOr<std::optional<KeyValue>> ReadAt(const std::string& key, Revision revision);
  TxnResult Decode(const etcdserverpb::TxnResponse& branch, Revision revision, bool has_lane) const;
  std::string LaneValue(absl::string_view what) const;
  Lane TakeLane();
  void GiveBack(Lane lane);

  EtcdConnection& connection_;
  const EtcdEncoding& encoding_;
  const std::string process_;  // random: whose lanes they are
  Mutex mutex_;
  std::vector<Lane> free_ ABSL_GUARDED_BY(mutex_);
  int made_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace pinion::store
