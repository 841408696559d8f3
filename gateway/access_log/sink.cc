#include "gateway/access_log/sink.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "gateway/observability_limits.h"

namespace pinion::access_log {
namespace {

constexpr uint64_t kAll = uint64_t{1} << 32;
constexpr size_t kSampledDigits = 8;

uint64_t Threshold(double share) {
  return static_cast<uint64_t>(std::clamp(share, 0.0, 1.0) * static_cast<double>(kAll));
}

// The last hex digits as a number below 2^32. Trace ids are random at least there: W3C Trace
// Context, level 2, "random-trace-id".
uint64_t LowBits(absl::string_view hex) {
  uint64_t value = 0;
  for (const char c : hex.substr(hex.size() - kSampledDigits)) {
    value = value << 4 | static_cast<uint64_t>(c <= '9' ? c - '0' : (c - 'a' + 10) & 15);
  }
  return value;
}

}  // namespace

Sink::Sink(const Options& options, const Clock& clock, uint64_t seed, std::function<void()> wake)
    : clock_(clock),
      wake_(std::move(wake)),
      threshold_(Threshold(options.sample)),
      random_(seed),
      formatter_(options.format),
      ring_(limits::kLogRingBytes) {}

bool Sink::Wants(bool ok, absl::string_view trace_id) {
  if (!ok || threshold_ == kAll) return true;
  if (threshold_ == 0) return false;
  if (trace_id.size() >= kSampledDigits) return LowBits(trace_id) < threshold_;
  return random_.Below(kAll) < threshold_;
}

void Sink::Write(const Record& record) {
  char line[limits::kLogLineBytesMax];
  const size_t bytes = formatter_.Write(record, line);
  if (!ring_.Push(absl::string_view(line, bytes))) return dropped_.Add();
  lines_.Add();
  const bool filling = ring_.HalfFull();
  if (filling && !woken_) wake_();
  woken_ = filling;
}

absl::Time Sink::WallTime(absl::Time monotonic, absl::Time loop_now) {
  if (loop_now >= offset_until_) {
    wall_offset_ = clock_.Wall() - clock_.Monotonic();
    offset_until_ = loop_now + absl::Seconds(1);
  }
  return monotonic + wall_offset_;
}

}  // namespace pinion::access_log
