#include "gateway/worker/memory_guard.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/log.h"
#include "gateway/memory_limits.h"

namespace pinion::worker {
namespace {

using proxy::MemoryStage;

std::string Mebibytes(size_t bytes) { return absl::StrCat(bytes >> 20, " MiB"); }

const char* WhatIsDone(MemoryStage stage) {
  switch (stage) {
    case MemoryStage::kPlenty:
      return "nothing";
    case MemoryStage::kEndIdle:
      return "connections without calls are asked to go";
    case MemoryStage::kRefuseCalls:
      return "new calls are refused";
    case MemoryStage::kEndLargest:
      return "the calls that hold most end, and no connection is accepted";
  }
  return "";
}

}  // namespace

MemoryGuard::MemoryGuard(size_t budget, const Clock& clock, Tell tell, ProcessMemory process)
    : budget_(budget),
      clock_(clock),
      tell_(std::move(tell)),
      process_(std::move(process)),
      thread_([guard = this] { return guard->Look(); }) {}

void MemoryGuard::LookFromNowOn() { thread_.Start(absl::ZeroDuration()); }

absl::Duration MemoryGuard::Look() {
  const absl::Time began = clock_.Monotonic();
  const size_t used = Measure();
  {
    const MutexLock lock(&mutex_);
    used_ = used;
  }
  const proxy::MemoryPressure pressure = proxy::JudgeMemory(used, budget_);
  if (pressure.stage != MemoryStage::kPlenty || told_ != MemoryStage::kPlenty) tell_(pressure);
  told_ = pressure.stage;
  Log(pressure.stage, used);
  const bool near = static_cast<double>(used) >= limits::kMemoryNear * static_cast<double>(budget_);
  return std::max(near ? limits::kMemoryLookIntervalNear : limits::kMemoryLookInterval,
                  limits::kMemoryLookPause * (clock_.Monotonic() - began));
}

// Where it would matter, without what is free already: nothing is to end for that.
size_t MemoryGuard::Measure() const {
  size_t used = process_.used();
  if (proxy::JudgeMemory(used, budget_).stage != MemoryStage::kPlenty) {
    process_.trim();
    used = process_.used();
  }
  return used;
}

void MemoryGuard::Log(MemoryStage stage, size_t used) {
  const absl::Time now = clock_.Monotonic();
  if (stage != MemoryStage::kPlenty) short_at_ = now;
  if (stage > logged_) {
    logged_ = stage;
    log::Warning("worker", absl::StrCat("memory is short, ", Mebibytes(used), " of ",
                                        Mebibytes(budget_), ": ", WhatIsDone(stage)));
  } else if (logged_ != MemoryStage::kPlenty && now - short_at_ >= limits::kMemoryCalm) {
    logged_ = MemoryStage::kPlenty;
    log::Info("worker", absl::StrCat("memory is no longer short: ", Mebibytes(used), " of ",
                                     Mebibytes(budget_)));
  }
}

MemoryStatus MemoryGuard::status() const {
  const MutexLock lock(&mutex_);
  return {.used = used_, .budget = budget_};
}

}  // namespace pinion::worker
