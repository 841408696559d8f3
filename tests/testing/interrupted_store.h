// A store in which somebody else can come first, between what a change has read and its commit; one
// that fails from some commit on; and one whose answer is lost. For tests; one thread at a time
// while an interruption is set.
#pragma once

#include <functional>
#include <utility>

#include "registry/store/forwarding_store.h"
#include "registry/store/outcome.h"

namespace pinion::testing {

class InterruptedStore : public store::ForwardingStore {
 public:
  // `store` outlives it.
  explicit InterruptedStore(store::Store& store) : ForwardingStore(store) {}

  // Runs once, just before the next transaction is committed; it may use the store itself.
  void BeforeNextCommit(std::function<void()> interruption) {
    interruption_ = std::move(interruption);
  }

  absl::StatusOr<store::TxnResult> Commit(store::Txn txn) override {
    if (interruption_ != nullptr) std::exchange(interruption_, nullptr)();
    return ForwardingStore::Commit(std::move(txn));
  }

 private:
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

// Commits, and when told to does not say what has come of the next transaction.
class SilentStore : public InterruptedStore {
 public:
  using InterruptedStore::InterruptedStore;

  void LoseNextAnswer() { silent_ = true; }

  absl::StatusOr<store::TxnResult> Commit(store::Txn txn) override {
    absl::StatusOr<store::TxnResult> result = InterruptedStore::Commit(std::move(txn));
    if (std::exchange(silent_, false)) return store::OutcomeUnknown("its answer was lost");
    return result;
  }

 private:
  bool silent_ = false;
};

}  // namespace pinion::testing
