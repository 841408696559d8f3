#include "gateway/worker/tls_rotation.h"

#include <algorithm>
#include <utility>

#include "gateway/tls_limits.h"

namespace pinion::worker {
namespace {

// How often is looked whether the wall clock has come so far: it may jump.
constexpr absl::Duration kLookInterval = absl::Minutes(1);
constexpr absl::Duration kDrainInterval = absl::Seconds(1);

}  // namespace

TlsRotation::TlsRotation(const Settings& settings, net::EventLoop& loop, const Clock& clock,
                         proxy::Proxy& proxy)
    : settings_(settings),
      loop_(loop),
      clock_(clock),
      proxy_(proxy),
      since_(settings.listeners.size(), 1),
      earlier_(settings.listeners.size()),
      timer_(
          loop.timers(), [](void* self) { static_cast<TlsRotation*>(self)->OnTimer(); }, this) {}

void TlsRotation::Use(std::shared_ptr<const TlsSet> tls) {
  const std::shared_ptr<const TlsSet> before = std::exchange(current_, std::move(tls));
  ++generation_;
  proxy_.SetUpstreamTls(current_->upstream);
  if (before == nullptr) return;
  for (size_t i = 0; i < earlier_.size(); ++i) {
    const auto& old = before->listeners[i];
    if (old == nullptr || old == current_->listeners[i]) continue;
    if (old->expiry() < current_->listeners[i]->expiry()) Retire(i, old->expiry());
  }
  OnTimer();
}

// What was in force until now.
void TlsRotation::Retire(size_t listener, absl::Time expiry) {
  std::vector<Earlier>& earlier = earlier_[listener];
  earlier.push_back({std::exchange(since_[listener], generation_), generation_ - 1, expiry});
  if (earlier.size() <= limits::kTlsEarlierMax) return;
  // The two oldest go together.
  earlier[1].first = earlier[0].first;
  earlier[1].expiry = std::min(earlier[0].expiry, earlier[1].expiry);
  earlier.erase(earlier.begin());
}

void TlsRotation::Accept(std::unique_ptr<net::ByteStream> stream, size_t listener) {
  const auto& tls = current_->listeners[listener];
  if (tls != nullptr) stream = tls->Accept(proxy_.tls(), std::move(stream));
  proxy_.Accept(std::move(stream), settings_.listeners[listener].options, generation_);
}

void TlsRotation::OnTimer() {
  absl::Duration again = absl::InfiniteDuration();
  for (size_t i = 0; i < earlier_.size(); ++i) again = std::min(again, DrainSome(i));
  if (again != absl::InfiniteDuration()) timer_.Arm(loop_.now() + again);
}

// Returns when to look again.
absl::Duration TlsRotation::DrainSome(size_t listener) {
  std::vector<Earlier>& earlier = earlier_[listener];
  const absl::Time now = clock_.Wall();
  absl::Duration again = absl::InfiniteDuration();
  for (size_t i = 0; i < earlier.size(); ++i) {
    const absl::Duration wait = earlier[i].expiry - limits::kTlsDrainBefore - now;
    if (wait > absl::ZeroDuration()) {
      again = std::min({again, wait, kLookInterval});
      continue;
    }
    // Late ones do not wait for their turn.
    const size_t most = earlier[i].expiry <= now ? SIZE_MAX : limits::kTlsDrainsPerSecond;
    const size_t count = proxy_.DrainGenerations(settings_.listeners[listener].options,
                                                 earlier[i].first, earlier[i].last, most);
    drained_.Add(count);
    if (count == most) return kDrainInterval;
    earlier.erase(earlier.begin() + static_cast<ptrdiff_t>(i--));
  }
  return again;
}

}  // namespace pinion::worker
