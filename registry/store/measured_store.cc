#include "registry/store/measured_store.h"

#include <algorithm>
#include <utility>

#include "registry/store/outcome.h"

namespace pinion::store {
namespace {

CommitOutcome OutcomeOf(const absl::StatusOr<TxnResult>& result) {
  if (result.ok()) {
    return result->succeeded ? CommitOutcome::kCommitted : CommitOutcome::kConflict;
  }
  if (IsOutcomeUnknown(result.status())) return CommitOutcome::kUnknown;
  switch (result.status().code()) {
    case absl::StatusCode::kUnavailable:
      return CommitOutcome::kAway;
    case absl::StatusCode::kResourceExhausted:
      return CommitOutcome::kFull;
    default:
      return CommitOutcome::kRefused;
  }
}

template <size_t kSize>
void Copy(const std::array<std::atomic<int64_t>, kSize>& from, std::array<int64_t, kSize>& to) {
  std::transform(from.begin(), from.end(), to.begin(), [](const std::atomic<int64_t>& one) {
    return one.load(std::memory_order_relaxed);
  });
}

}  // namespace

absl::StatusOr<TxnResult> MeasuredStore::Commit(Txn txn) {
  const absl::Time began = clock_.Monotonic();
  absl::StatusOr<TxnResult> result = ForwardingStore::Commit(std::move(txn));
  const absl::Duration took = clock_.Monotonic() - began;
  const auto bucket =
      std::lower_bound(kBounds.begin(), kBounds.end(), absl::ToDoubleSeconds(took)) -
      kBounds.begin();
  buckets_[static_cast<size_t>(bucket)].fetch_add(1, std::memory_order_relaxed);
  by_outcome_[static_cast<size_t>(OutcomeOf(result))].fetch_add(1, std::memory_order_relaxed);
  microseconds_.fetch_add(absl::ToInt64Microseconds(took), std::memory_order_relaxed);
  return result;
}

MeasuredStore::Commits MeasuredStore::commits() const {
  Commits commits;
  Copy(by_outcome_, commits.by_outcome);
  Copy(buckets_, commits.buckets);
  commits.seconds = static_cast<double>(microseconds_.load(std::memory_order_relaxed)) * 1e-6;
  return commits;
}

}  // namespace pinion::store
