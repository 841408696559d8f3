// The pins that calls under `pin_on_first_call` ask the registry for: from all workers into one
// bounded queue, from there in small batches, one at a time, to a registry that is heard. While it
// is away they wait here; when the queue is full further ones are dropped and counted, and later
// calls ask again.
//
//   workers ── Push() ──▶ queue ── TakeBatch() ──▶ ProposePins call ──▶ Answer() ─▶ counted,
//                           ▲                                             │          or dropped
//                           └──────────────── the registry went away ─────┘
//
// Push() from any thread; the rest on the watcher's thread. Shared by GatewayPlane and Watcher.
#pragma once

#include <deque>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "gateway/route/pin_proposal.h"
#include "pinion/registry/v1/watch.pb.h"

namespace pinion::watch {

class PinProposals {
 public:
  struct Counts {
    int64_t created = 0;  // the registry made the pin
    int64_t existed = 0;  // there was one, which another gateway or a person had set
    int64_t refused = 0;  // by the registry, or by one that knows no proposals
    int64_t dropped = 0;  // the queue was full
    int64_t waiting = 0;  // now, those on their way included
  };

  // Queues what is not queued or on its way yet: the first one of a (consumer, service) counts.
  void Push(std::vector<route::PinProposal> proposals);

  // `wake` is called from Push() when the queue is empty no more; it must not block or call back.
  // Null: not any more.
  void WakeWith(std::function<void()> wake);

  // What to send now; empty: nothing, or not yet, or a batch is on its way. Else Answer() follows.
  registry::v1::ProposePinsRequest TakeBatch(absl::Time now);
  // When TakeBatch() may have something although nobody calls `wake`.
  absl::Time due() const;
  // What became of the batch. After Unavailable, DeadlineExceeded and Aborted it waits again.
  void Answer(const absl::Status& status, const registry::v1::ProposePinsResponse& response,
              absl::Time now);

  Counts counts() const;

 private:
  using Key = std::pair<std::string, std::string>;  // consumer, service

  mutable absl::Mutex mutex_;
  std::function<void()> wake_ ABSL_GUARDED_BY(mutex_);
  std::deque<route::PinProposal> queue_ ABSL_GUARDED_BY(mutex_);
  std::vector<route::PinProposal> sent_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_set<Key> keys_ ABSL_GUARDED_BY(mutex_);  // of both
  absl::Time next_ ABSL_GUARDED_BY(mutex_) = absl::InfinitePast();
  Counts counts_ ABSL_GUARDED_BY(mutex_);  // but for `waiting`
};

}  // namespace pinion::watch
