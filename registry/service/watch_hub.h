// Feeds every watching gateway: one thread follows the store, turns each change into what it means
// for routing, once, and keeps the latest in a ring; each subscription reads the ring at its own
// pace, after a snapshot if what it needs is no longer there. Nothing is skipped: a subscription
// that the ring overtakes ends.
//
//   store ── Watcher ──▶ [hub thread: projection] ──▶ ring of revisions ─┐
//   store ── Range(at one revision), page by page ──▶ snapshot, if any ──┴▶ Subscription::Next()
//                                                                           (a thread each)
//
// Thread-safe. Owned by RegistryServer; outlives its subscriptions.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "base/mutex.h"
#include "pinion/registry/v1/registry.pb.h"
#include "pinion/registry/v1/watch.pb.h"
#include "registry/service/registry.h"
#include "registry/service/registry_counts.h"
#include "registry/store/store.h"

namespace pinion::service {

struct WatchOptions {
  // A gateway that was away for this many changes resumes without a snapshot; each is some hundred
  // bytes.
  size_t ring_revisions = 16'384;
  size_t ring_bytes = 64 << 20;
  absl::Duration heartbeat = absl::Seconds(5);
  size_t subscriptions_max = 1'024;  // each has a thread
  size_t snapshot_page = 2'000;      // records a message, fewer of large ones: below gRPC's 4 MiB
};

class WatchHub {
 public:
  class Subscription;

  // `registry` outlives the hub.
  WatchHub(Registry& registry, const WatchOptions& options);
  ~WatchHub();

  // Ends all subscriptions with Unavailable. Happens once; the destructor does it too.
  void Stop();

  // `cut` is called, from the hub's thread and perhaps more than once, when the subscription was
  // overtaken long ago and has not come back: its writer is blocked on the peer and must be woken.
  // It must not block. FailedPrecondition: REGISTRY_ID_MISMATCH, REVISION_AHEAD. ResourceExhausted
  // (LIMIT_EXCEEDED): too many gateways watch.
  absl::StatusOr<std::unique_ptr<Subscription>> Subscribe(const registry::v1::WatchRequest& request,
                                                          std::string peer,
                                                          std::function<void()> cut);

  // FailedPrecondition: REGISTRY_ID_MISMATCH; what a gateway says of another registry than this
  // one. Empty: it does not say.
  absl::Status CheckRegistry(const std::string& registry_id) const;

  // Those that watch now.
  std::vector<registry::v1::GatewayStatus> Gateways() const;

  WatchCounts counts() const;

  // What compaction keeps to: gateways may still resume from there, or from what a hub that starts
  // anew reads back. What concerns no routing (usage) makes revisions too, and moves it on.
  store::Revision floor() const;

 private:
  // A revision that concerns routing.
  struct Entry {
    std::shared_ptr<const registry::v1::RevisionChanges> changes;
    size_t bytes = 0;
  };

  void RunFollower();
  void Append(const store::WatchBatch& batch);
  // What the changes of one revision are to gateways, appended to `entries`. DataLoss: one of the
  // records is damaged.
  static absl::Status Project(absl::Span<const store::Event> revision, std::vector<Entry>& entries);
  // The change of `revision` cannot be told: followers are, and a snapshot is what helps them.
  void Skip(store::Revision revision, absl::Status damage) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Trim() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::deque<Entry>::const_iterator FirstAfter(store::Revision at) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Moves `subscription` over as many changes as one message holds.
  void CollectChanges(Subscription& subscription, registry::v1::ChangeBatch& batch) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // The store has compacted what was not read yet: forgets all and begins anew.
  void Restart();
  // The store cannot be read, for this reason; whoever waits for changes is told once it lasts.
  void NoteUnread(absl::Status why) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // It was read just now.
  void NoteRead() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Unavailable (STORE_UNAVAILABLE): for so long that nobody knows what the newest is.
  absl::Status CheckFollowing() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  Registry& registry_;
  const WatchOptions options_;

  mutable Mutex mutex_;
  CondVar changed_;  // anything below
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::deque<Entry> ring_ ABSL_GUARDED_BY(mutex_);  // ascending
  size_t ring_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  store::Revision floor_ ABSL_GUARDED_BY(mutex_);    // the ring holds all that came after it,
  store::Revision through_ ABSL_GUARDED_BY(mutex_);  // up to and with this
  // Why what came before `floor_` cannot be told, if that is not its age.
  absl::Status damage_ ABSL_GUARDED_BY(mutex_);
  store::Revision damaged_revision_ ABSL_GUARDED_BY(mutex_) = 0;
  absl::flat_hash_set<Subscription*> subscriptions_ ABSL_GUARDED_BY(mutex_);
  absl::Time followed_at_ ABSL_GUARDED_BY(mutex_);  // the store was read; monotonic
  absl::Status unread_ ABSL_GUARDED_BY(mutex_);     // why it cannot be since, if so
  int64_t overtaken_ ABSL_GUARDED_BY(mutex_) = 0;
  std::unique_ptr<store::Watcher> watcher_ ABSL_GUARDED_BY(mutex_);

  std::thread thread_;
};

// One gateway's stream. Used by one thread.
class WatchHub::Subscription {
 public:
  ~Subscription();

  // The next message; waits for one at most as long as a heartbeat, then says how far it is.
  // ResourceExhausted (WATCH_TOO_SLOW): overtaken; DataLoss (RECORD_DAMAGED): a record of the
  // snapshot or of a change cannot be told, and nothing is told without it; Unavailable: the hub
  // stops, or the store cannot be read (STORE_UNAVAILABLE: and has not been for some time, so that
  // another replica may know more). Any error ends it.
  absl::StatusOr<registry::v1::WatchResponse> Next();

 private:
  friend class WatchHub;
  Subscription(WatchHub& hub, registry::v1::GatewayStatus status, std::function<void()> cut);

  absl::StatusOr<registry::v1::WatchResponse> NextSnapshot();
  // As many of the records that come next as one message holds, and moves on behind them.
  absl::StatusOr<std::vector<routing::v1::Resource>> NextRecords(store::Revision revision);
  absl::StatusOr<registry::v1::WatchResponse> NextChanges();

  WatchHub& hub_;
  const std::function<void()> cut_;
  registry::v1::GatewayStatus status_;  // guarded by hub_.mutex_
  store::Revision at_ =
      0;  // guarded by hub_.mutex_: all up to here was given (is being, by the snapshot)
  absl::Time overtaken_at_ = absl::InfiniteFuture();  // guarded by hub_.mutex_

  // Of the snapshot; empty prefix list position at its end.
  bool in_snapshot_ = false;
  registry::v1::SnapshotChunk::Reason reason_ = registry::v1::SnapshotChunk::INITIAL;
  bool first_ = true;
  size_t prefix_ = 0;      // in SnapshotPrefixes()
  std::string after_key_;  // empty: from the prefix's first
  size_t records_;         // read at once; follows how large they are
};

}  // namespace pinion::service
