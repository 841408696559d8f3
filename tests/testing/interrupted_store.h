// A store in which somebody else can come first, between what a change has read and its commit; and
// one that fails from some commit on. For tests; one thread at a time while an interruption is set.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "registry/store/store.h"

namespace pinion::testing {

class InterruptedStore : public store::Store {
 public:
  // `store` outlives it.
  explicit InterruptedStore(store::Store& store) : store_(store) {}

  // Runs once, just before the next transaction is committed; it may use the store itself.
  void BeforeNextCommit(std::function<void()> interruption) {
    interruption_ = std::move(interruption);
  }

  absl::StatusOr<store::TxnResult> Commit(store::Txn txn) override {
    if (interruption_ != nullptr) std::exchange(interruption_, nullptr)();
    return store_.Commit(std::move(txn));
  }

  absl::StatusOr<store::RangeResult> Range(const store::RangeRequest& request) override {
    return store_.Range(request);
  }
  std::unique_ptr<store::Watcher> Watch(store::KeyRange range, store::Revision after) override {
    return store_.Watch(std::move(range), after);
  }
  absl::Status Compact(store::Revision revision) override { return store_.Compact(revision); }
  store::Revision revision() const override { return store_.revision(); }
  store::Revision compact_revision() const override { return store_.compact_revision(); }
  absl::StatusOr<store::LeaseId> GrantLease(absl::Duration ttl) override {
    return store_.GrantLease(ttl);
  }
  absl::StatusOr<absl::Duration> RenewLease(store::LeaseId id) override {
    return store_.RenewLease(id);
  }
  absl::StatusOr<std::vector<store::ExpiredLease>> ExpiredLeases() override {
    return store_.ExpiredLeases();
  }
  absl::Status RevokeLease(store::LeaseId id) override { return store_.RevokeLease(id); }
  std::string Describe() const override { return store_.Describe(); }

 private:
  store::Store& store_;
  std::function<void()> interruption_;
};

// Commits `commits_before` transactions and no more, as a store that is away or full.
class FailingStore : public InterruptedStore {
 public:
  FailingStore(store::Store& store, int commits_before,
               absl::Status failure = absl::UnavailableError("the store is away"))
      : InterruptedStore(store), left_(commits_before), failure_(std::move(failure)) {}

  absl::StatusOr<store::TxnResult> Commit(store::Txn txn) override {
    if (left_-- <= 0) return failure_;
    return InterruptedStore::Commit(std::move(txn));
  }

 private:
  int left_;
  const absl::Status failure_;
};

}  // namespace pinion::testing
