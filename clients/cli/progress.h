// How far something long is, for people: one line at the bottom of the terminal that is written
// anew. One thread.
#pragma once

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "clients/cli/invocation.h"

namespace pinion::cli {

class Progress {
 public:
  // `what` is counted: "records". Says nothing unless standard error is a terminal. `run` outlives
  // it.
  Progress(Invocation& run, absl::string_view what);
  // Takes the line away.
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // `total`: an estimate; 0: nobody knows. Often called is not often written.
  void At(int64_t done, int64_t total);

 private:
  Invocation& run_;
  const std::string what_;
  absl::Time said_ = absl::InfinitePast();
};

// "[#####               ]  25 %  10 of 40 records"; without a total "10 records". An estimate that
// turns out too low is never shown as more than all.
std::string ProgressText(int64_t done, int64_t total, absl::string_view what);

}  // namespace pinion::cli
