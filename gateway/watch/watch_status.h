// What a watcher tells of itself, for health, metrics and people; and where it writes that down.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "base/clock.h"
#include "gateway/watch/gateway_reports.h"
#include "gateway/watch/pin_proposals.h"
#include "gateway/watch/refusal.h"

namespace pinion::watch {

// `age` and `connected` tell a frozen gateway from a quiet one.
struct WatchStatus {
  bool connected = false;  // the registry has spoken on the present stream
  std::string registry_id;
  int64_t revision = 0;  // of the last table; 0: none yet
  // Since the registry last confirmed this revision; infinite: never in this process.
  absl::Duration age = absl::InfiniteDuration();
  bool from_disk = false;  // the last table came from the recording

  int64_t tables_published = 0;
  int64_t snapshots_received = 0;
  int64_t streams_ended = 0;
  int64_t moves = 0;                               // to another of the registry's addresses
  std::array<int64_t, kRefusalReasons> refused{};  // snapshots and changes not taken over
  int64_t recording_failures = 0;
  PinProposals::Counts pin_proposals;
  GatewayReports::Counts reports;
  std::string problem;  // why the state is not the registry's; empty: it is
  // What stands against taking over what the registry has; nullopt: nothing.
  std::optional<Refusal> refusal;
  std::string warning;  // what is wrong although the registry is followed

  // Calls are routed by a table that nobody says is the registry's: something is refused, or the
  // registry was not heard for limits::kWatchFrozenAfter.
  bool frozen() const;
};

// Thread-safe. Owned by Watcher, whose thread writes.
class StatusBoard {
 public:
  // `clock` outlives this.
  explicit StatusBoard(const Clock& clock) : clock_(clock) {}

  template <typename Change>
  void Update(Change change) {
    absl::MutexLock lock(&mutex_);
    change(status_);
  }

  // Why the state is not the registry's; logged when it was not known.
  void Problem(const std::string& problem);
  // The same; stands until Confirm() or another one.
  void Refused(Refusal refusal, const std::string& problem);
  // Empty: nothing any more. Logged when it was not known.
  void Warn(const std::string& warning);
  // The registry says that the table of `revision` is what it has.
  void Confirm(int64_t revision);

  WatchStatus status() const;

 private:
  const Clock& clock_;
  mutable absl::Mutex mutex_;
  WatchStatus status_ ABSL_GUARDED_BY(mutex_);
  std::optional<absl::Time> confirmed_at_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace pinion::watch
