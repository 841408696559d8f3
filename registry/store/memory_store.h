// A store that lives and dies with its process: for tests, and the shortest statement of what the
// contract means.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "registry/store/lease_clock.h"
#include "registry/store/store.h"

namespace pinion::store {

class MemoryStore : public Store {
 public:
  // `clock` outlives the store.
  explicit MemoryStore(const Clock& clock = SystemClock());

  absl::StatusOr<RangeResult> Range(const RangeRequest& request) override;
  absl::StatusOr<TxnResult> Commit(Txn txn) override;
  std::unique_ptr<Watcher> Watch(KeyRange range, Revision after) override;
  absl::Status Compact(Revision revision) override;
  Revision revision() const override;
  Revision compact_revision() const override;
  absl::StatusOr<LeaseId> GrantLease(absl::Duration ttl) override;
  absl::StatusOr<absl::Duration> RenewLease(LeaseId id) override;
  absl::StatusOr<std::vector<ExpiredLease>> ExpiredLeases() override;
  absl::Status RevokeLease(LeaseId id) override;
  std::string Describe() const override { return "memory"; }

 private:
  class MemoryWatcher;

  // One state of a key; `version` 0: it was deleted then.
  using State = KeyValue;

  const State* At(const std::string& key, Revision revision) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  const State* Live(const std::string& key) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Of a range.
  bool HoldsForAll(const Compare& compare) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Runs one op at revision_ + 1 and says whether it changed anything.
  bool Apply(Op op, std::vector<std::optional<KeyValue>>& results)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void AddState(State state) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::vector<std::string> KeysOf(LeaseId id) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::vector<Event> EventsAt(const KeyRange& range, Revision revision) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  mutable Mutex mutex_;
  CondVar changed_;  // a revision, or the end of a watch
  Revision revision_ ABSL_GUARDED_BY(mutex_) = 1;
  Revision compact_revision_ ABSL_GUARDED_BY(mutex_) = 1;
  LeaseId last_lease_ ABSL_GUARDED_BY(mutex_) = 0;
  std::map<std::string, std::vector<State>> keys_ ABSL_GUARDED_BY(mutex_);    // states ascend
  std::map<Revision, std::vector<std::string>> log_ ABSL_GUARDED_BY(mutex_);  // keys changed
  LeaseClock leases_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace pinion::store
