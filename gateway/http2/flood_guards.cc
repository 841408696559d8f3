#include "gateway/http2/flood_guards.h"

#include <algorithm>

namespace pinion::http2 {

bool DecayingCount::Add(absl::Time now, uint64_t max) {
  const absl::Duration since = now - second_began_;
  if (since >= absl::Seconds(63)) {
    count_ = 0;
    second_began_ = now;
  } else if (since >= absl::Seconds(1)) {
    const int64_t seconds = absl::ToInt64Seconds(since);
    count_ >>= seconds;
    second_began_ += absl::Seconds(seconds);
  }
  return ++count_ <= max;
}

bool TokenBucket::Take(absl::Time now) {
  if (filled_ == absl::InfinitePast()) filled_ = now;
  if (tokens_ == 0) {  // time is only looked at when it matters
    const double earned = absl::ToDoubleSeconds(now - filled_) * per_second_;
    if (earned < 1) return false;
    tokens_ = static_cast<uint32_t>(std::min<double>(earned, full_));
    filled_ = now;
  }
  --tokens_;
  return true;
}

void TokenBucket::Give(uint32_t tokens) { tokens_ = std::min(tokens_ + tokens, full_); }

}  // namespace pinion::http2
