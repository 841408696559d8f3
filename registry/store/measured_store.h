// Counts and times what a store commits, for whoever watches a registry. Thread-safe. Owned by
// RegistryServer, in front of its store.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "base/clock.h"
#include "registry/store/forwarding_store.h"

namespace pinion::store {

enum class CommitOutcome : uint8_t {
  kCommitted,
  kConflict,  // a compare did not hold
  kRefused,   // beyond the limits, or a lease that is gone
  kFull,      // the disk; nothing happened
  kAway,      // nobody answers; nothing happened
  kUnknown,   // nobody says whether it happened
};
inline constexpr size_t kCommitOutcomes = 6;

class MeasuredStore : public ForwardingStore {
 public:
  // Seconds, ascending; the last bucket has no bound. From a commit that shares an fsync on a fast
  // disk to an etcd that elects a leader.
  static constexpr std::array<double, 14> kBounds = {
      0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10};

  // Both outlive it.
  MeasuredStore(Store& store, const Clock& clock) : ForwardingStore(store), clock_(clock) {}

  absl::StatusOr<TxnResult> Commit(Txn txn) override;

  struct Commits {
    std::array<int64_t, kCommitOutcomes> by_outcome{};
    // Whatever came of them, and not cumulative.
    std::array<int64_t, kBounds.size() + 1> buckets{};
    double seconds = 0;  // all together
  };
  Commits commits() const;

 private:
  const Clock& clock_;
  std::array<std::atomic<int64_t>, kCommitOutcomes> by_outcome_{};
  std::array<std::atomic<int64_t>, kBounds.size() + 1> buckets_{};
  std::atomic<int64_t> microseconds_{0};
};

}  // namespace pinion::store
