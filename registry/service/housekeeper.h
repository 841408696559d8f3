// What the registry does by itself, once a second on a thread of its own: it ends the leases that
// have run out, carries out the sunsets that have come, goes on with the jobs, deletes usage and
// gateways that are too old and descriptor sets that no version has, and compacts the store's
// history. Owned by RegistryServer.
#pragma once

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "base/mutex.h"
#include "base/repeating_thread.h"
#include "registry/service/operations.h"
#include "registry/service/registry.h"
#include "registry/service/watch_hub.h"

namespace pinion::service {

struct HousekeeperOptions {
  absl::Duration period = absl::Seconds(1);
  // Revisions that the store keeps: gateways resume from them, as many as a hub's ring has. Most
  // are reports of gateways, some KiB each. Objects, pin history, usage and the audit log are
  // records and never compacted.
  store::Revision keep_revisions = 20'000;
  // Asked before each step of a job; empty: all may go on. Outlives the housekeeper.
  JobRights job_rights = {};
};

class Housekeeper {
 public:
  // Both outlive it.
  Housekeeper(Registry& registry, const WatchHub& hub, const HousekeeperOptions& options);

  // What came of the last round: Unavailable while the store is away. Thread-safe, as jobs().
  absl::Status last_round() const;
  // Those that had not ended then.
  int64_t jobs() const;

  // One round, on the caller's thread. True: a job has more to do now.
  absl::StatusOr<bool> RunOnce();

 private:
  absl::Duration RunRound();
  absl::Status CompactSome();
  absl::Status CountJobs();

  Registry& registry_;
  const WatchHub& hub_;
  const HousekeeperOptions options_;
  mutable Mutex mutex_;
  absl::Status last_round_ ABSL_GUARDED_BY(mutex_);
  int64_t jobs_ ABSL_GUARDED_BY(mutex_) = 0;

  RepeatingThread thread_;
};

}  // namespace pinion::service
