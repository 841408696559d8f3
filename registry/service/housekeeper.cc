#include "registry/service/housekeeper.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "base/log.h"
#include "base/status_macros.h"
#include "registry/model/keys.h"
#include "registry/service/blobs.h"
#include "registry/service/consistent_read.h"
#include "registry/service/first_error.h"
#include "registry/service/operations.h"

namespace pinion::service {
namespace {

// At once, so that compaction never holds up the changes that wait behind it for long.
constexpr store::Revision kCompactStep = 5'000;

}  // namespace

Housekeeper::Housekeeper(Registry& registry, const WatchHub& hub, const HousekeeperOptions& options)
    : registry_(registry),
      hub_(hub),
      options_(options),
      thread_([keeper = this] { return keeper->RunRound(); }) {
  thread_.Start(options_.period);
}

absl::Duration Housekeeper::RunRound() {
  const absl::StatusOr<bool> more = RunOnce();
  MutexLock lock(&mutex_);
  // Said once, not every second.
  if (!more.ok() && last_round_.ok()) {
    log::Warning("registry", absl::StrCat("housekeeping failed, and is tried again: ",
                                          more.status().message()));
  }
  last_round_ = more.status();
  return more.value_or(false) ? absl::ZeroDuration() : options_.period;
}

absl::Status Housekeeper::last_round() const {
  MutexLock lock(&mutex_);
  return last_round_;
}

int64_t Housekeeper::jobs() const {
  MutexLock lock(&mutex_);
  return jobs_;
}

absl::StatusOr<bool> Housekeeper::RunOnce() {
  FirstError error;
  absl::StatusOr<bool> more = false;
  if (error.GoOnAfter(ExpireLeases(registry_).status()) &&
      error.GoOnAfter(SunsetDueVersions(registry_).status()) &&
      error.GoOnAfter(FreeRetired(registry_)) && error.GoOnAfter(ForgetOldUsage(registry_)) &&
      error.GoOnAfter(ForgetOldGateways(registry_)) &&
      error.GoOnAfter(DeleteUnusedBlobs(registry_)) && error.GoOnAfter(CompactSome()) &&
      error.GoOnAfter(CountJobs())) {
    more = RunJobs(registry_, options_.job_rights);
    error.GoOnAfter(more.status());
  }
  RETURN_IF_ERROR(error.status());
  return more;
}

absl::Status Housekeeper::CountJobs() {
  ASSIGN_OR_RETURN(const store::RangeResult open,
                   registry_.store().Range(
                       {.range = store::KeyRange::Prefix(model::kJobsDue), .count_only = true}));
  MutexLock lock(&mutex_);
  jobs_ = open.count;
  return absl::OkStatus();
}

absl::Status Housekeeper::CompactSome() {
  store::Store& store = registry_.store();
  store::Revision goal = std::min(store.revision() - options_.keep_revisions, hub_.floor());
  const store::Revision done = store.compact_revision();
  if (goal <= done) return absl::OkStatus();
  ASSIGN_OR_RETURN(const std::optional<store::Revision> held, OldestHeld(store));
  goal = std::min(goal, held.value_or(goal));
  if (goal <= done) return absl::OkStatus();
  return store.Compact(std::min(goal, done + kCompactStep));
}

}  // namespace pinion::service
