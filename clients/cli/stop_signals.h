// SIGINT and SIGTERM as a question that the main thread asks: no code ever runs inside a signal
// handler. Made by main() before any other thread, so that all threads inherit the blocked mask.
#pragma once

#include "absl/time/time.h"

namespace pinion::cli {

class StopSignals {
 public:
  // Blocks both signals in this thread and all that it starts from now on.
  StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;

  // True: somebody asked the program to stop. From then on another signal ends the process at once.
  // False: `timeout` has passed. Main thread.
  bool Wait(absl::Duration timeout);

 private:
  bool stopped_ = false;
};

}  // namespace pinion::cli
