// SIGINT and SIGTERM as a question that the main thread asks, and SIGHUP and SIGUSR1 as something
// it does while it waits. Inside a signal handler runs nothing but the end that a second one asks
// for. Made by main() before any other thread, so that all threads inherit the blocked mask.
#pragma once

#include <functional>

#include "absl/time/time.h"

namespace pinion::cli {

// What the user asks a running program for: SIGUSR1 to open its logs anew, SIGHUP to read again
// also what it was configured with.
enum class Reload { kLogs, kAll };

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
  void OnReload(std::function<void(Reload)> reload);

 private:
  bool stopped_ = false;
  std::function<void(Reload)> reload_;  // empty: the signals are left alone
};

}  // namespace pinion::cli
