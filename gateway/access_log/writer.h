// The access log of a process: one sink for each worker, and a thread that writes what they hold to
// a file, so that a slow disk or an unread pipe never holds up a call. Made and destroyed on the
// main thread, after the workers that use the sinks.
//
//     worker → Sink → ring ──┐ every limits::kLogFlushInterval, or when half full
//     worker → Sink → ring ──┴─▶ this thread ─▶ file, pipe or terminal
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/clock.h"
#include "base/counter.h"
#include "base/repeating_thread.h"
#include "gateway/access_log/sink.h"

namespace pinion::access_log {

class Writer {
 public:
  // Opens options.path for appending and starts the thread. FailedPrecondition names the path and
  // what is wrong with it. `clock` outlives the writer; `seed` decides which calls without a trace
  // id are sampled.
  static absl::StatusOr<std::unique_ptr<Writer>> Start(Options options, const Clock& clock,
                                                       size_t sinks, uint64_t seed);

  // Writes what the sinks still hold; what a pipe that nobody reads does not take is dropped.
  // REQUIRES: no worker uses its sink any more.
  ~Writer();
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  // Opens the path again, for logrotate: lines that come from now on are in the new file. When that
  // fails the old file stays in use, and the process's log says why. Any thread; returns at once.
  void Reopen();

  Sink& sink(size_t i) { return *sinks_[i]; }
  // Any thread.
  uint64_t lines() const;    // given to the writer
  uint64_t dropped() const;  // did not fit into a ring, or could not be written
  uint64_t write_failures() const { return write_failures_.value(); }

 private:
  Writer(Options options, const Clock& clock);

  absl::Duration RunRound();
  absl::Status Open();
  // One round over the sinks; true: more has come meanwhile.
  bool Drain();
  // Writes whole lines as long as that goes; what cannot be written is dropped.
  void WriteOut(absl::string_view lines);
  bool WaitForRoom() const;
  void OnFailure(absl::string_view lines, int error);

  const Options options_;
  const Clock& clock_;
  std::vector<std::unique_ptr<Sink>> sinks_;
  std::atomic<bool> stopping_{false};

  std::atomic<bool> reopen_{false};

  // Of the thread from Start() on, and of the destructor after it.
  int fd_ = -1;
  bool patient_ = false;  // a pipe or terminal: a write may have to wait for a reader
  absl::Time complained_ = absl::InfinitePast();
  Counter write_failures_;
  Counter unwritten_;

  RepeatingThread thread_;
};

}  // namespace pinion::access_log
