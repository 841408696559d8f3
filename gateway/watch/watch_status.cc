#include "gateway/watch/watch_status.h"

#include <utility>

#include "base/log.h"
#include "gateway/watch_limits.h"

namespace pinion::watch {
namespace {

constexpr char kPart[] = "watch";

}  // namespace

bool WatchStatus::frozen() const { return refusal.has_value() || age > limits::kWatchFrozenAfter; }

void StatusBoard::Problem(const std::string& problem) {
  bool is_new = false;
  Update([&](WatchStatus& now) {
    is_new = now.problem != problem;
    now.problem = problem;
  });
  if (is_new) log::Warning(kPart, problem);
}

void StatusBoard::Refused(Refusal refusal, const std::string& problem) {
  Update([&refusal](WatchStatus& now) {
    ++now.refused[static_cast<size_t>(refusal.reason)];
    now.refusal = std::move(refusal);
  });
  Problem(problem);
}

void StatusBoard::Warn(const std::string& warning) {
  bool is_new = false;
  Update([&](WatchStatus& now) {
    is_new = now.warning != warning;
    now.warning = warning;
  });
  if (is_new && !warning.empty()) log::Warning(kPart, warning);
}

void StatusBoard::Confirm(int64_t revision) {
  absl::MutexLock lock(&mutex_);
  status_.connected = true;
  status_.revision = revision;
  status_.problem.clear();
  status_.refusal.reset();
  confirmed_at_ = clock_.Monotonic();
}

WatchStatus StatusBoard::status() const {
  absl::MutexLock lock(&mutex_);
  WatchStatus status = status_;
  if (confirmed_at_) status.age = clock_.Monotonic() - *confirmed_at_;
  return status;
}

}  // namespace pinion::watch
