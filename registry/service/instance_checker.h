// Asks instances whether they are ready, again and again, and takes over what they answer
// (docs/instances.md). Of several registries on one store one does it, whichever holds the claim.
//
//   store ──instances, services──▶ follower thread ──▶ roster ──due──▶ checking threads ──▶ Ask
//                                                        ▲  findings        │
//                                                        └──────────────────┴──news──▶ recorder
//                                                                                          ▼
//                                                                                     store, log
//
// Owned by RegistryServer.
#pragma once

#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "base/mutex.h"
#include "pinion/registry/v1/records.pb.h"
#include "registry/probe/probe.h"
#include "registry/service/check_roster.h"
#include "registry/service/claim.h"
#include "registry/service/finding_recorder.h"
#include "registry/service/registry.h"
#include "registry/service/registry_counts.h"

namespace pinion::service {

struct CheckerOptions {
  CheckTimes times;
  // Checks at the same time. Those of instances that do not answer take the probe's timeout each,
  // so that some dozens of these hold up nobody; many hundreds make all checks less frequent.
  int checks_at_once = 16;
  // How soon the threads notice what nobody tells them of; the claim is kept as often.
  absl::Duration period = absl::Seconds(1);
  // How long a finding that changes nobody's calls may wait to be written down with others.
  absl::Duration recording_delay = absl::Seconds(1);
};

class InstanceChecker {
 public:
  // `ask` and the registry outlive it. Without options it checks nothing by itself.
  InstanceChecker(Registry& registry, probe::Ask ask, const std::optional<CheckerOptions>& options);
  // Waits for the checks that run.
  ~InstanceChecker();

  // Begins no checks any more, and takes nothing over from those that run. Thread-safe.
  void Stop();

  // Checks one now, on the caller's thread. NotFound: INSTANCE_UNKNOWN. Thread-safe.
  absl::StatusOr<registry::v1::CheckInstanceResponse> CheckNow(
      const registry::v1::CheckInstanceRequest& request);

  // Thread-safe.
  InstanceCounts counts();

 private:
  void RunFollower();
  void RunChecks();
  // One round of the follower.
  absl::Status Follow();
  absl::Status Load();
  void TakeOver(const store::WatchBatch& instances);
  void TakeOverServices(const store::WatchBatch& services);

  struct Judged {
    CheckRoster::Outcome outcome;
    Effect effect = Effect::kNone;  // of the outcome's verdict
  };
  // Nullopt: it is gone. Cancelled: Stop() was called.
  absl::StatusOr<std::optional<Judged>> Check(const CheckRoster::Task& task);
  absl::StatusOr<CheckRoster::Result> AskAndJudge(const CheckRoster::Task& task,
                                                  model::Verification policy);
  void CheckInTurn(const CheckRoster::Task& task);
  void TakenOver(const registry::v1::Instance& instance);
  void Complain(const CheckRoster::Task& task, const absl::Status& status);

  Registry& registry_;
  const probe::Ask ask_;
  const std::optional<CheckerOptions> options_;

  // Of the follower's thread.
  std::optional<Claim> claim_;
  std::unique_ptr<store::Watcher> services_;

  Mutex mutex_;
  CondVar due_;  // a check, or the end
  CheckRoster roster_ ABSL_GUARDED_BY(mutex_);
  bool ours_ ABSL_GUARDED_BY(mutex_) = false;  // this registry holds the claim
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::unique_ptr<store::Watcher> instances_ ABSL_GUARDED_BY(mutex_);  // used by the follower only
  int64_t checks_ ABSL_GUARDED_BY(mutex_) = 0;                         // made
  absl::Time complained_ ABSL_GUARDED_BY(mutex_) = absl::InfinitePast();
  int64_t failures_ ABSL_GUARDED_BY(mutex_) = 0;  // since

  FindingRecorder recorder_;  // tells the roster
  std::vector<std::thread> threads_;
};

}  // namespace pinion::service
