#include "tests/bench/pin_changes.h"

#include <algorithm>
#include <cstdio>
#include <thread>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/status_macros.h"
#include "registry/service/operations.h"
#include "tests/bench/fill_registry.h"

namespace pinion::service {
namespace {

const Caller kCaller{"bench"};
constexpr int kConsumers = 1000;
constexpr int kPinsOfCaller = 10;

// What one caller has seen.
struct Seen {
  std::vector<double> milliseconds;
  int64_t refused = 0;
};

Seen ChangeOwnPins(Registry& registry, int first, int own, absl::Time end) {
  Seen seen;
  v1::SetPinRequest request;
  request.mutable_pin()->set_service("echo");
  for (int i = 0; SystemClock().Monotonic() < end; ++i) {
    request.mutable_pin()->set_consumer(ConsumerName(first + i % own));
    request.mutable_pin()->set_expression(i / own % 2 == 0 ? "^1" : "2.0.0");
    const absl::Time began = SystemClock().Monotonic();
    const auto pinned = Run(registry, SetPin, kCaller, request);
    // The first ones may say what is there from before.
    if (pinned.ok() && pinned->changed()) {
      seen.milliseconds.push_back(absl::ToDoubleMilliseconds(SystemClock().Monotonic() - began));
    }
    if (!pinned.ok() && ++seen.refused == 1) {
      std::fprintf(stderr, "%s\n", pinned.status().ToString().c_str());
    }
  }
  return seen;
}

}  // namespace

absl::Status PreparePins(Registry& registry) {
  RETURN_IF_ERROR(PublishEcho(registry, kCaller, {9000, 9000}));
  return AddConsumers(registry, kCaller, kConsumers, /*pin=*/false);
}

PinChanges ChangePins(const std::vector<Registry*>& registries, int callers, int seconds) {
  const absl::Time end = SystemClock().Monotonic() + absl::Seconds(seconds);
  const int own = std::max(1, std::min(kPinsOfCaller, kConsumers / callers));
  PinChanges changes;
  std::vector<double> all;
  Mutex mutex;
  std::vector<std::thread> threads;
  for (int t = 0; t < callers; ++t) {
    Registry* const registry = registries[static_cast<size_t>(t) % registries.size()];
    threads.emplace_back([registry, t, own, end, &mutex, &all, &changes] {
      const Seen seen = ChangeOwnPins(*registry, t * own, own, end);
      MutexLock lock(&mutex);
      all.insert(all.end(), seen.milliseconds.begin(), seen.milliseconds.end());
      changes.refused += seen.refused;
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::sort(all.begin(), all.end());
  changes.made = static_cast<int64_t>(all.size());
  if (!all.empty()) {
    changes.p50 = all[all.size() / 2];
    changes.p99 = all[all.size() * 99 / 100];
  }
  return changes;
}

void PrintPinChanges(const PinChanges& changes, int callers, int seconds) {
  std::printf(
      "%d callers: %.0f durable pin changes a second, each p50 %.1f ms, p99 %.1f ms, %lld "
      "refused\n",
      callers, static_cast<double>(changes.made) / seconds, changes.p50, changes.p99,
      static_cast<long long>(changes.refused));
}

}  // namespace pinion::service
