// A watch at an etcd: it follows one member after another, from where the last one stopped, so that
// no change is left out or given twice.
//
//   [no stream] ── the member has what comes next ──▶ [connecting] ── created ──▶ [following]
//        ▲ │ compacted: OutOfRange                                                    │
//        └─┴───────────── error, silence, no leader: another member ◀─────────────────┘
//
// It watches all that the store writes and gives what was asked for: so each change moves it on,
// whatever it is about, and it needs no word of etcd's on how far it is (3.4's came too early).
#pragma once

#include <grpcpp/completion_queue.h>
#include <grpcpp/support/async_stream.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "base/mutex.h"
#include "registry/store/etcd_commit.h"
#include "registry/store/etcd_connection.h"
#include "registry/store/etcd_encoding.h"
#include "registry/store/store.h"

namespace pinion::store {

class EtcdWatcher : public Watcher {
 public:
  // What comes after `after`; 0: from the oldest there is. All outlive it.
  EtcdWatcher(EtcdConnection& connection, const EtcdEncoding& encoding, EtcdCommitter& committer,
              KeyRange range, Revision after);
  ~EtcdWatcher() override;

  // Also Unavailable: no member answers. It goes on by itself with the next call.
  absl::StatusOr<WatchBatch> Next(absl::Duration timeout) override;
  void Cancel() override;

 private:
  struct Stream;

  bool cancelled() const;
  // Begins a stream at the current member. OutOfRange: what comes next is compacted.
  absl::Status Connect(EtcdDeadline deadline);
  absl::Status CheckNotCompacted(EtcdDeadline deadline);
  void Disconnect();
  // Waits for the stream at most until `deadline`. True: something has happened; the stream may be
  // gone, and `batch_` complete.
  absl::StatusOr<bool> Advance(EtcdDeadline deadline);
  absl::Status OnRead();
  // The stream has ended, for the reason that it says.
  absl::Status OnEnd();
  absl::Status Take(mvccpb::Event event);
  // Whether the member is silent although there is something to say; asks for a sign first.
  void LookForSilence();

  EtcdConnection& connection_;
  const EtcdEncoding& encoding_;
  EtcdCommitter& committer_;
  const KeyRange range_;
  Revision after_;         // all up to this one has been given
  WatchBatch batch_;       // in the making
  bool complete_ = false;  // the batch ends with a revision
  absl::Status last_error_;
  absl::Time silent_since_ = absl::InfiniteFuture();
  bool asked_for_sign_ = false;

  mutable Mutex mutex_;
  CondVar changed_;
  bool cancelled_ ABSL_GUARDED_BY(mutex_) = false;
  // Only Next()'s thread changes it, and only under the mutex: Cancel() looks at it.
  std::unique_ptr<Stream> stream_;
};

// The oldest revision that the etcd has; 1: all.
absl::StatusOr<Revision> FindCompactRevision(EtcdConnection& connection);

}  // namespace pinion::store
