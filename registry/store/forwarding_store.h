// A store in front of another one, which does what that does: for those that look at, or change,
// some of its methods.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "registry/store/store.h"

namespace pinion::store {

class ForwardingStore : public Store {
 public:
  // `store` outlives it.
  explicit ForwardingStore(Store& store) : store_(store) {}

  absl::StatusOr<RangeResult> Range(const RangeRequest& request) override {
    return store_.Range(request);
  }
  absl::StatusOr<Pairs> ReadKeys(const std::vector<std::string>& keys, Revision revision) override {
    return store_.ReadKeys(keys, revision);
  }
  absl::StatusOr<TxnResult> Commit(Txn txn) override { return store_.Commit(std::move(txn)); }
  std::unique_ptr<Watcher> Watch(KeyRange range, Revision after) override {
    return store_.Watch(std::move(range), after);
  }
  absl::Status Compact(Revision revision) override { return store_.Compact(revision); }
  absl::StatusOr<Revision> Newest() override { return store_.Newest(); }
  Revision revision() const override { return store_.revision(); }
  Revision compact_revision() const override { return store_.compact_revision(); }
  absl::StatusOr<LeaseId> GrantLease(absl::Duration ttl) override { return store_.GrantLease(ttl); }
  absl::StatusOr<absl::Duration> RenewLease(LeaseId id) override { return store_.RenewLease(id); }
  absl::StatusOr<std::vector<ExpiredLease>> ExpiredLeases() override {
    return store_.ExpiredLeases();
  }
  absl::Status RevokeLease(LeaseId id) override { return store_.RevokeLease(id); }
  absl::Status last_commit() const override { return store_.last_commit(); }
  std::string Describe() const override { return store_.Describe(); }

 private:
  Store& store_;
};

}  // namespace pinion::store
