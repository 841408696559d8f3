// Virtual time and everything that happens in it: one heap of events (the network's and the
// script's) and the event loops that take turns. A test makes one world, puts loops, streams and
// peers into it and runs it; the same seed gives the same run, to the last byte. One thread, and
// the world outlives all that lives in it.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/time/time.h"
#include "base/clock.h"
#include "tests/testing/random.h"

namespace pinion::testing {

class SimLoop;

// Stands still but for SimWorld. Monotonic and wall time are unrelated, as on a real machine.
class SimClock final : public Clock {
 public:
  absl::Time Monotonic() const override { return absl::UnixEpoch() + elapsed_; }
  absl::Time Wall() const override { return kWallStart + elapsed_; }

 private:
  friend class SimWorld;
  static const absl::Time kWallStart;
  // Not zero, or a time that somebody forgot to set would look like the first one.
  absl::Duration elapsed_ = absl::Hours(1);
};

class SimWorld {
 public:
  explicit SimWorld(uint64_t seed) : random_(seed) {}
  SimWorld(const SimWorld&) = delete;
  SimWorld& operator=(const SimWorld&) = delete;

  const SimClock& clock() const { return clock_; }
  absl::Time now() const { return clock_.Monotonic(); }
  Random& random() { return random_; }

  // Runs `event` when that time has come, outside of any loop's turn. Events of the same moment run
  // in a seeded order.
  void At(absl::Time when, std::function<void()> event);
  void After(absl::Duration delay, std::function<void()> event) { At(now() + delay, event); }

  enum class End {
    kDone,       // `done` returned true
    kQuiet,      // nothing is left that could happen
    kTimeLimit,  // `limit` of virtual time has passed
    kTurnLimit,  // so many turns that somebody must be spinning
  };

  // One turn or event after the other until one of the ends.
  End Run(absl::FunctionRef<bool()> done, absl::Duration limit);
  End RunFor(absl::Duration limit) {
    return Run([] { return false; }, limit);
  }

  // Called after each turn of a loop: the place for invariants.
  void set_after_turn(std::function<void()> hook) { after_turn_ = std::move(hook); }

  uint64_t turns() const { return turns_; }
  void set_turns_max(uint64_t turns) { turns_max_ = turns; }

  // ---- what happened ----

  // Folds a fact into fingerprint() and, while tracing, shows it. Two runs of one seed have the
  // same facts in the same order, or the code under test depends on something but the seed.
  void Note(std::string_view who, std::string_view what, uint64_t number = 0);
  // The same without a line in the trace.
  void Fold(std::string_view bytes);
  uint64_t fingerprint() const { return fingerprint_; }
  // `sink` gets each fact as one line with its virtual time.
  void set_trace(std::function<void(const std::string&)> sink) { trace_ = std::move(sink); }

 private:
  friend class SimLoop;

  struct Event {
    absl::Time when;
    uint64_t tie;  // drawn from the seed
    uint64_t order;
    std::function<void()> run;
  };
  static bool Later(const Event& a, const Event& b);

  void FoldNumber(uint64_t number);
  bool RunDueEvent();
  bool RunOneTurn();
  absl::Time NextMoment();

  Random random_;
  SimClock clock_;
  std::vector<Event> events_;  // a heap, soonest first
  uint64_t next_order_ = 0;
  std::vector<SimLoop*> loops_;
  std::vector<SimLoop*> runnable_;  // scratch of RunOneTurn()
  std::function<void()> after_turn_;
  uint64_t turns_ = 0;
  uint64_t turns_max_ = UINT64_MAX;
  uint64_t fingerprint_ = 0xcbf29ce484222325;
  std::function<void(const std::string&)> trace_;
};

}  // namespace pinion::testing
