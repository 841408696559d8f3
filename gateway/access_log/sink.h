// Where one worker puts its records: decides which are kept, formats them, and leaves the lines in
// a ring for the writer's thread. Never waits; when the ring is full the line is dropped and
// counted. Owned by a Writer (or a test); the worker's thread, but for the counters and ring().
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "base/clock.h"
#include "base/counter.h"
#include "base/random.h"
#include "gateway/access_log/formatter.h"
#include "gateway/access_log/record.h"
#include "gateway/access_log/ring.h"

namespace pinion::access_log {

struct Options {
  std::string path;  // "/dev/stdout" and "/dev/stderr": the process's own; empty: no log
  Format format = Format::kJson;
  // Of the calls that went well, the share that is logged; the others always are.
  double sample = 1;
};

class Sink {
 public:
  // `clock` outlives the sink. `wake` is called when the ring has become half full.
  Sink(const Options& options, const Clock& clock, uint64_t seed, std::function<void()> wake);
  Sink(const Sink&) = delete;
  Sink& operator=(const Sink&) = delete;

  // Whether a call is logged. With a trace id its last digits decide, so that gateways that
  // sample alike log the same traces; else chance does.
  bool Wants(bool ok, absl::string_view trace_id);

  void Write(const Record& record);

  // The wall clock's time of a moment of the loop. The clock is read once a second at most.
  absl::Time WallTime(absl::Time monotonic, absl::Time loop_now);

  const Counter& lines() const { return lines_; }
  const Counter& dropped() const { return dropped_; }
  Ring& ring() { return ring_; }

 private:
  const Clock& clock_;
  const std::function<void()> wake_;
  // Of 2^32: the share of successes.
  const uint64_t threshold_;
  Random random_;
  Formatter formatter_;
  Ring ring_;
  bool woken_ = false;
  absl::Duration wall_offset_ = absl::ZeroDuration();
  absl::Time offset_until_ = absl::InfinitePast();
  Counter lines_;
  Counter dropped_;
};

}  // namespace pinion::access_log
