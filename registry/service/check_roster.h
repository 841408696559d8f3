// Which instances there are, when each is checked next, and what its last checks have found. Time
// comes from outside. Owned by InstanceChecker; not thread-safe.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"
#include "base/random.h"
#include "pinion/registry/v1/registry.pb.h"
#include "registry/probe/probe.h"
#include "registry/service/instance_findings.h"

namespace pinion::service {

struct CheckTimes {
  absl::Duration health_interval = absl::Seconds(10);
  absl::Duration schema_interval = absl::Minutes(5);
};

class CheckRoster {
 public:
  // `seed`: of the jitter, by which checks do not come in step.
  CheckRoster(const CheckTimes& times, uint64_t seed) : times_(times), random_(seed) {}

  // An instance that is new, or is registered otherwise than before, is due at once; else only its
  // record is taken over.
  void Put(const registry::v1::Instance& instance, absl::Time now);
  void Remove(const std::string& uid);
  void Clear();
  // All instances of a service are due at once: it judges by another policy.
  void Hasten(const std::string& service, absl::Time now);

  bool Knows(const std::string& uid) const { return entries_.contains(uid); }
  // How many there are by verdict, and whether they get no calls, as their records say.
  std::map<std::pair<model::Verdict, bool>, int64_t> Count() const;
  bool empty() const { return entries_.empty(); }
  // InfiniteFuture: none is.
  absl::Time NextDue() const;

  struct Task {
    registry::v1::Instance instance;
    probe::Question::Schema schema = probe::Question::Schema::kNo;
    bool out_of_turn = false;  // somebody has asked for it
  };
  // One that is due, if any; it is not due again before Finish() or Postpone().
  std::optional<Task> TakeDue(absl::Time now);
  // One check out of turn.
  std::optional<Task> Take(const std::string& uid);

  // What a check has found: the health, if it speaks against the instance, and its schema, if that
  // was asked for.
  struct Result {
    std::optional<Finding> against;  // UNREACHABLE, NOT_SERVING
    std::optional<Finding> schema;   // READY, UNPROVEN, DRIFTED
  };
  struct Outcome {
    Finding found;
    // What stands now: `found`, if it was found often enough, or what stood before.
    Finding verdict;
  };
  // Nullopt: it is gone meanwhile.
  std::optional<Outcome> Finish(const std::string& uid, const Result& result, absl::Time now);
  // One that was due could not be checked, which says nothing of it: its turn comes again.
  void Postpone(const std::string& uid, absl::Time now);

 private:
  struct Entry {
    registry::v1::Instance instance;
    absl::Time due;
    bool running = false;
    bool hastened = false;  // while it was running
    model::Verdict found = registry::v1::InstanceCheck::VERDICT_UNSPECIFIED;
    int in_a_row = 0;
    std::optional<Finding> schema;  // of the last time that it was asked for
    absl::Time schema_due;
  };

  void SetFound(Entry& entry, model::Verdict found);
  // After a check.
  absl::Duration WaitOf(const Entry& entry) const;
  // It is not running any more, and due after `wait`, or at once if it was hastened meanwhile.
  void Rest(const std::string& uid, Entry& entry, absl::Time now, absl::Duration wait);
  void SetDue(const std::string& uid, Entry& entry, absl::Time due);
  void MakeDue(const std::string& uid, Entry& entry, absl::Time now);
  absl::Duration Jittered(absl::Duration duration);
  static Task TaskOf(const Entry& entry, absl::Time now);

  const CheckTimes times_;
  Random random_;
  absl::flat_hash_map<std::string, Entry> entries_;
  std::set<std::pair<absl::Time, std::string>> due_;  // without those that run
  size_t unreachable_ = 0;                            // found so the last time
};

}  // namespace pinion::service
