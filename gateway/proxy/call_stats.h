// What one worker counts of ended calls by service, version, kind of consumer and reason. Each
// label set is a slot that is found when a version is first seen, so that a call adds to a few
// counters and hashes nothing. Slots are bounded (limits::kMetricVersionsMax, kMetricServicesMax)
// and never given back, since a counter that vanished would look like a restart; what finds none is
// counted under "other". Written on the worker's thread, read from any.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "base/counter.h"
#include "gateway/observability_limits.h"
#include "gateway/route/entries.h"

namespace pinion::proxy {

inline constexpr int kGrpcCodes = 17;
// A status of each code, and as the last one: none (a reset, or a caller that does not speak gRPC).
using CodeCounters = std::array<Counter, kGrpcCodes + 1>;
size_t CodeIndex(int grpc_status);
// "OK" … "UNAUTHENTICATED", and "NONE" for the last.
absl::string_view CodeName(size_t index);

// Why the gateway ended a call itself, as a number that stays small: ErrorInfo's reason, or without
// one the status.
inline constexpr size_t kReasonsMax = 32;
inline constexpr size_t kErrorKinds = kReasonsMax + kGrpcCodes + 1;
absl::string_view ErrorKindName(size_t kind);

class LatencyHistogram {
 public:
  // Seconds, ascending; the last bucket has no bound. From a cache's answer to a long poll.
  static constexpr std::array<double, 15> kBounds = {
      0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60};

  void Observe(absl::Duration duration);

  uint64_t bucket(size_t i) const { return buckets_[i].value(); }
  double sum_seconds() const { return static_cast<double>(sum_us_.value()) * 1e-6; }

 private:
  std::array<Counter, kBounds.size() + 1> buckets_;
  Counter sum_us_;
};

enum class ConsumerClass : uint8_t { kRegistered, kUnregistered };
inline constexpr size_t kConsumerClasses = 2;

struct VersionStats {
  explicit VersionStats(std::string service, std::string version)
      : service(std::move(service)), version(std::move(version)) {}

  const std::string service;
  const std::string version;
  std::array<CodeCounters, kConsumerClasses> calls;
  LatencyHistogram durations;
  Counter request_bytes;
  Counter response_bytes;
};

struct ServiceStats {
  explicit ServiceStats(std::string service) : service(std::move(service)) {}

  const std::string service;
  std::array<Counter, kErrorKinds> errors;
};

// Up to `kMax` slots by small numbers that are never used again, and one for the rest.
template <typename Slot, size_t kMax>
class SlotTable {
 public:
  explicit SlotTable(std::unique_ptr<Slot> other) : other_(std::move(other)) {}

  // The worker's. `make` is called when `id` is new and there is room.
  template <typename Make>
  Slot& For(uint32_t id, Make make) {
    if (id < by_id_.size() && by_id_[id] != nullptr) return *by_id_[id];
    return Add(id, make);
  }

  // Any thread: all slots so far, that of the rest last.
  template <typename Use>
  void ForEach(Use use) const {
    const size_t count = count_.load(std::memory_order_acquire);
    for (size_t i = 0; i < count; ++i) use(*slots_[i]);
    use(*other_);
  }

 private:
  template <typename Make>
  Slot& Add(uint32_t id, Make make) {
    if (id >= by_id_.size()) by_id_.resize(id + 1);
    const size_t count = count_.load(std::memory_order_relaxed);
    if (count == kMax) return *(by_id_[id] = other_.get());
    slots_[count] = make();
    count_.store(count + 1, std::memory_order_release);
    return *(by_id_[id] = slots_[count].get());
  }

  std::vector<Slot*> by_id_;
  const std::unique_ptr<Slot> other_;
  // Set once each, before count_ says that they are there.
  std::array<std::unique_ptr<Slot>, kMax> slots_;
  std::atomic<size_t> count_{0};
};

class CallStats {
 public:
  CallStats();

  VersionStats& Of(const route::VersionEntry& version);
  // Of a service that some route table has, by its name: only failures ask. Empty: the call was
  // refused before its service was known.
  ServiceStats& OfService(absl::string_view name);

  template <typename Use>
  void ForEachVersion(Use use) const {
    versions_.ForEach(use);
  }
  template <typename Use>
  void ForEachService(Use use) const {
    services_.ForEach(use);
    use(no_service_);
  }

 private:
  SlotTable<VersionStats, limits::kMetricVersionsMax> versions_;
  SlotTable<ServiceStats, limits::kMetricServicesMax> services_;
  absl::flat_hash_map<std::string, uint32_t> service_numbers_;
  ServiceStats no_service_;
};

}  // namespace pinion::proxy
