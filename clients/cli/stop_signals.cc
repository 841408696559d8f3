#include "clients/cli/stop_signals.h"

#include <pthread.h>

#include <algorithm>
#include <csignal>
#include <ctime>

namespace pinion::cli {
namespace {

sigset_t StopSet() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  return set;
}

}  // namespace

StopSignals::StopSignals() {
  const sigset_t set = StopSet();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

bool StopSignals::Wait(absl::Duration timeout) {
  if (stopped_) return true;
  const sigset_t set = StopSet();
  // Beyond a day nobody waits in one piece; the caller asks again.
  const timespec limit = absl::ToTimespec(std::min(timeout, absl::Hours(24)));
  if (sigtimedwait(&set, nullptr, &limit) < 0) return false;
  stopped_ = true;
  pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
  return true;
}

}  // namespace pinion::cli
