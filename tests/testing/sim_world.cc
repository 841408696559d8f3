#include "tests/testing/sim_world.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/str_format.h"
#include "tests/testing/sim_loop.h"

namespace pinion::testing {
namespace {

// A turn is not free: whoever asks for turn after turn sees time pass, as on a real machine.
constexpr absl::Duration kTurnCostMin = absl::Microseconds(1);
constexpr absl::Duration kTurnCostMax = absl::Microseconds(20);
// Now and then the machine is busy elsewhere, and much has arrived when the next turn comes.
constexpr uint64_t kPauseOneIn = 200;
constexpr absl::Duration kPauseMax = absl::Milliseconds(20);

constexpr uint64_t kFnvPrime = 0x100000001b3;

}  // namespace

const absl::Time SimClock::kWallStart = absl::FromUnixSeconds(1'800'000'000);

bool SimWorld::Later(const Event& a, const Event& b) {
  if (a.when != b.when) return a.when > b.when;
  return a.tie != b.tie ? a.tie > b.tie : a.order > b.order;
}

void SimWorld::At(absl::Time when, std::function<void()> event) {
  events_.push_back({std::max(when, now()), random_.Next(), next_order_++, std::move(event)});
  std::push_heap(events_.begin(), events_.end(), Later);
}

bool SimWorld::RunDueEvent() {
  if (events_.empty() || events_.front().when > now()) return false;
  std::pop_heap(events_.begin(), events_.end(), Later);
  const std::function<void()> run = std::move(events_.back().run);
  events_.pop_back();
  run();
  return true;
}

bool SimWorld::RunOneTurn() {
  runnable_.clear();
  for (SimLoop* loop : loops_) {
    if (loop->HasWork()) runnable_.push_back(loop);
  }
  if (runnable_.empty()) return false;
  random_.PickFrom(runnable_)->Turn();
  ++turns_;
  clock_.elapsed_ +=
      random_.Between(kTurnCostMin, random_.OneIn(kPauseOneIn) ? kPauseMax : kTurnCostMax);
  if (after_turn_ != nullptr) after_turn_();
  return true;
}

absl::Time SimWorld::NextMoment() {
  absl::Time next = events_.empty() ? absl::InfiniteFuture() : events_.front().when;
  for (SimLoop* loop : loops_) next = std::min(next, loop->timers().next());
  return next;
}

SimWorld::End SimWorld::Run(absl::FunctionRef<bool()> done, absl::Duration limit) {
  const absl::Time end = now() + limit;
  const uint64_t turns_end = turns_max_ == UINT64_MAX ? turns_max_ : turns_ + turns_max_;
  while (true) {
    if (done()) return End::kDone;
    if (now() >= end) return End::kTimeLimit;
    if (turns_ >= turns_end) return End::kTurnLimit;
    if (RunDueEvent() || RunOneTurn()) continue;
    const absl::Time next = NextMoment();
    if (next == absl::InfiniteFuture()) return End::kQuiet;
    clock_.elapsed_ = std::min(next, end) - absl::UnixEpoch();
  }
}

void SimWorld::FoldNumber(uint64_t number) {
  fingerprint_ = (fingerprint_ ^ number) * kFnvPrime;
  fingerprint_ ^= fingerprint_ >> 29;
}

void SimWorld::Fold(std::string_view bytes) {
  FoldNumber(bytes.size());
  for (; !bytes.empty(); bytes.remove_prefix(std::min(bytes.size(), sizeof(uint64_t)))) {
    uint64_t word = 0;
    std::memcpy(&word, bytes.data(), std::min(bytes.size(), sizeof(word)));
    FoldNumber(word);
  }
}

void SimWorld::Note(std::string_view who, std::string_view what, uint64_t number) {
  Fold(who);
  Fold(what);
  FoldNumber(number);
  FoldNumber(static_cast<uint64_t>(absl::ToInt64Nanoseconds(clock_.elapsed_)));
  if (trace_ == nullptr) return;
  trace_(absl::StrFormat("%10.3f ms  %-14s %s %d",
                         absl::ToDoubleMilliseconds(clock_.elapsed_ - SimClock().elapsed_), who,
                         what, number));
}

}  // namespace pinion::testing
