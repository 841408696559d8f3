// Counts of what a peer may do for free and must not do without end (CVE-2019-9512…9518,
// CVE-2023-44487, CVE-2025-8671). The bounds and their reasons: gateway/limits.h. Owned by a
// session; one thread.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gateway/http2/types.h"
#include "gateway/limits.h"

namespace pinion::http2 {

// A count that loses half of itself each second.
class DecayingCount {
 public:
  // Counts one; false when that makes more than `max`.
  [[nodiscard]] bool Add(absl::Time now, uint64_t max);

 private:
  uint64_t count_ = 0;
  absl::Time second_began_ = absl::InfinitePast();
};

// Tokens that come back with time and as rewards, up to a full bucket.
class TokenBucket {
 public:
  TokenBucket(uint32_t initial, uint32_t full, uint32_t per_second)
      : tokens_(initial), full_(full), per_second_(per_second) {}

  // Takes one; false when there is none.
  [[nodiscard]] bool Take(absl::Time now);
  void Give(uint32_t tokens);

 private:
  uint32_t tokens_;
  uint32_t full_;
  uint32_t per_second_;
  absl::Time filled_ =
      absl::InfinitePast();  // up to when time was paid out; reads as `now` at first
};

// Each method counts one event and says whether the connection may live on.
class FloodGuards {
 public:
  explicit FloodGuards(Role role) : role_(role) {}

  [[nodiscard]] bool Ping(absl::Time now) {
    if (pings_paid_ == 0) return pings_.Add(now, limits::kPingsPerSecond);
    --pings_paid_;
    return true;
  }
  [[nodiscard]] bool Settings(absl::Time now) {
    return settings_.Add(now, limits::kSettingsPerSecond);
  }
  [[nodiscard]] bool EmptyData(absl::Time now) {
    return empty_data_.Add(now, limits::kEmptyDataPerSecond);
  }
  [[nodiscard]] bool EmptyUnknown(absl::Time now) {
    return empty_data_.Add(now, limits::kEmptyDataPerSecond);
  }
  [[nodiscard]] bool Interim(absl::Time now) {
    return interim_.Add(now, limits::kInterimPerSecond);
  }
  [[nodiscard]] bool Priority(absl::Time now, size_t active_streams) {
    return priority_.Add(now, uint64_t{limits::kPriorityPerStream} * (1 + active_streams));
  }
  [[nodiscard]] bool WindowUpdate(absl::Time now) { return window_updates_.Take(now); }

  // RST_STREAM by the peer. What a server resets of the streams that we opened costs it nothing: we
  // set the pace.
  [[nodiscard]] bool ResetByPeer(absl::Time now, bool active) {
    return (role_ == Role::kClient && active) || resets_by_peer_.Take(now);
  }
  // RST_STREAM by us, for a fault of the peer; the same of a client.
  [[nodiscard]] bool ResetByUs(absl::Time now, bool active) {
    return (role_ == Role::kClient && active) || resets_by_us_.Take(now);
  }

  void OnStreamOpened() { window_updates_.Give(limits::kWindowUpdatesPerStream); }
  void OnDataSent(uint32_t frames) {
    window_updates_.Give(frames * limits::kWindowUpdatesPerDataFrame);
    pings_paid_ = std::min(pings_paid_ + frames, limits::kPingsPaidMax);
  }
  // END_STREAM both ways.
  void OnStreamCompleted() {
    resets_by_peer_.Give(1);
    resets_by_us_.Give(1);
  }

 private:
  const Role role_;
  DecayingCount pings_;
  uint32_t pings_paid_ = 0;
  DecayingCount settings_;
  DecayingCount empty_data_;
  DecayingCount interim_;
  DecayingCount priority_;
  TokenBucket window_updates_{limits::kWindowUpdatesAtFirst, limits::kWindowUpdatesMax,
                              limits::kConnectionWindowUpdatesPerSecond};
  TokenBucket resets_by_peer_{limits::kResetBurst, limits::kResetBurst, limits::kResetsPerSecond};
  TokenBucket resets_by_us_{limits::kResetBurst, limits::kResetBurst, limits::kResetsPerSecond};
};

}  // namespace pinion::http2
