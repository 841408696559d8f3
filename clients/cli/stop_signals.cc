#include "clients/cli/stop_signals.h"

#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <ctime>
#include <utility>

namespace pinion::cli {
namespace {

sigset_t StopSet() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  return set;
}

void AddReload(sigset_t& set) {
  sigaddset(&set, SIGHUP);
  sigaddset(&set, SIGUSR1);
}

// A second signal. Of a container's first process, which ends by no signal that it does not handle,
// too.
void EndAtOnce(int signal) {
  std::raise(signal);
  _exit(128 + signal);
}

}  // namespace

StopSignals::StopSignals() {
  const sigset_t set = StopSet();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

bool StopSignals::Wait(absl::Duration timeout) {
  if (stopped_) return true;
  sigset_t set = StopSet();
  if (reload_) AddReload(set);
  // Beyond a day nobody waits in one piece; the caller asks again.
  const timespec limit = absl::ToTimespec(std::min(timeout, absl::Hours(24)));
  const int signal = sigtimedwait(&set, nullptr, &limit);
  if (signal < 0) return false;
  if (signal == SIGHUP || signal == SIGUSR1) {
    reload_(signal == SIGHUP ? Reload::kAll : Reload::kLogs);
    return false;
  }
  stopped_ = true;
  struct sigaction second {};
  second.sa_handler = EndAtOnce;
  second.sa_flags = SA_RESETHAND | SA_NODEFER;  // raised again there, it has its usual effect
  sigaction(SIGINT, &second, nullptr);
  sigaction(SIGTERM, &second, nullptr);
  const sigset_t stop = StopSet();
  pthread_sigmask(SIG_UNBLOCK, &stop, nullptr);
  return true;
}

void StopSignals::OnReload(std::function<void(Reload)> reload) {
  reload_ = std::move(reload);
  sigset_t set;
  sigemptyset(&set);
  AddReload(set);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

}  // namespace pinion::cli
