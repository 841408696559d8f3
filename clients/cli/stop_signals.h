// SIGINT and SIGTERM as a question that the main thread asks, and SIGHUP and SIGUSR1 as something
// it does while it waits: no code ever runs inside a signal handler. Made by main() before any
// other thread, so that all threads inherit the blocked mask.
#pragma once

#include <functional>

#include "absl/time/time.h"

namespace pinion::cli {

class StopSignals {
 public:
  // Blocks both signals in this thread and all that it starts from now on.
  StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;

  // True: somebody asked the program to stop. From then on another signal ends the process at once.
  // False: `timeout` has passed, or a reload was asked for and done. Main thread.
  bool Wait(absl::Duration timeout);

  // From now on SIGHUP and SIGUSR1 do not end the process: Wait() calls `reload` for each. Before
  // any other thread is started.
  void OnReload(std::function<void()> reload);

 private:
  bool stopped_ = false;
  std::function<void()> reload_;  // empty: the signals are left alone
};

}  // namespace pinion::cli
