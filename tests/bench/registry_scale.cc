// A registry of a whole company on SQLite: how long it takes to fill, to open and to send to a
// gateway that has nothing, what it holds in memory, how many durable pin changes a second it makes
// at that size, and how soon each is on its way to the gateways.
// Run by hand, on the disk that matters:
//   registry_scale DIRECTORY [SERVICES] [VERSIONS_OF_EACH] [CONSUMERS] [PINS_OF_EACH] [SECONDS]
// A directory that it has filled before is only opened and measured.
#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "base/status_macros.h"
#include "registry/service/operations.h"
#include "registry/service/watch_hub.h"
#include "registry/store/sqlite_store.h"
#include "tests/bench/fill_registry.h"

namespace pinion::service {
namespace {

struct Size {
  int64_t services = 10'000;
  int64_t versions = 10;  // of each service
  int64_t consumers = 100'000;
  int64_t pins = 10;  // of each consumer
  int seconds = 10;   // of changing pins
};

// As many as would ask at once; each waits for the disk.
constexpr int kCallers = 64;

const Caller kCaller{"bench"};

absl::Time Now() { return SystemClock().Monotonic(); }

double SecondsSince(absl::Time began) { return absl::ToDoubleSeconds(Now() - began); }

// Of the process, in MB: a field of /proc/self/status ("VmRSS", "VmHWM").
double MemoryMb(absl::string_view field) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (!absl::StartsWith(line, field)) continue;
    const std::vector<std::string> words =
        absl::StrSplit(line, absl::ByAnyChar(" \t"), absl::SkipEmpty());
    int64_t kib = 0;
    return words.size() > 1 && absl::SimpleAtoi(words[1], &kib) ? static_cast<double>(kib) / 1024
                                                                : 0;
  }
  return 0;
}

double FileMb(const std::string& path) {
  struct stat file = {};
  return stat(path.c_str(), &file) == 0 ? static_cast<double>(file.st_size) / 1e6 : 0;
}

std::string ServiceName(int64_t number) { return absl::StrCat("team/service-", number); }
std::string VersionOf(int64_t number) { return absl::StrCat(number + 1, ".0.0"); }

// The service that the consumer's pin of this number is for: neighbours have none in common.
int64_t PinnedService(const Size& size, int64_t consumer, int64_t pin) {
  return (consumer * size.pins + pin) % size.services;
}

// Calls `work` for 0 to `count`, by kCallers threads; the first error ends them.
absl::Status InParallel(int64_t count, const std::function<absl::Status(int64_t)>& work) {
  std::atomic<int64_t> next = 0;
  Mutex mutex;
  absl::Status first;
  std::vector<std::thread> threads;
  for (int t = 0; t < kCallers; ++t) {
    threads.emplace_back([&] {
      for (int64_t number = next++; number < count; number = next++) {
        const absl::Status status = work(number);
        if (status.ok()) continue;
        next = count;
        MutexLock lock(&mutex);
        first.Update(status);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  return first;
}

absl::Status PublishAll(Registry& registry, int64_t service, int64_t versions) {
  for (int64_t version = 0; version < versions; ++version) {
    v1::PublishVersionRequest publish;
    publish.set_service(ServiceName(service));
    publish.set_name(VersionOf(version));
    publish.set_descriptor_set(EchoSchema(absl::StrCat("bench.s", service)));
    RETURN_IF_ERROR(PublishVersion(registry, kCaller, publish).status());
    RETURN_IF_ERROR(RegisterLocal(registry, kCaller, publish.service(), publish.name(), 9000));
  }
  return absl::OkStatus();
}

absl::Status PinAll(Registry& registry, const Size& size, int64_t consumer) {
  const std::string name = ConsumerName(consumer);
  RETURN_IF_ERROR(AddConsumer(registry, kCaller, name));
  for (int64_t pin = 0; pin < size.pins; ++pin) {
    RETURN_IF_ERROR(
        Pin(registry, kCaller, name, ServiceName(PinnedService(size, consumer, pin)), "^1"));
  }
  return absl::OkStatus();
}

absl::Status Fill(Registry& registry, const Size& size) {
  absl::Time began = Now();
  RETURN_IF_ERROR(InParallel(size.services, [&](int64_t service) {
    return PublishAll(registry, service, size.versions);
  }));
  const int64_t versions = size.services * size.versions;
  std::printf("filled: %lld versions of %lld services, each with an instance, in %.1f s\n",
              static_cast<long long>(versions), static_cast<long long>(size.services),
              SecondsSince(began));
  began = Now();
  RETURN_IF_ERROR(InParallel(size.consumers,
                             [&](int64_t consumer) { return PinAll(registry, size, consumer); }));
  const auto pins = static_cast<double>(size.consumers * size.pins);
  const double seconds = SecondsSince(began);
  std::printf("filled: %.0f pins of %lld consumers in %.1f s: %.0f durable changes a second\n",
              pins, static_cast<long long>(size.consumers), seconds,
              (pins + static_cast<double>(size.consumers)) / seconds);
  return absl::OkStatus();
}

struct Sent {
  int64_t records = 0;
  int64_t bytes = 0;
};

// To a gateway that has nothing, without the wire: what is read and encoded.
absl::StatusOr<Sent> SendSnapshot(WatchHub::Subscription& gateway) {
  Sent sent;
  for (bool last = false; !last;) {
    ASSIGN_OR_RETURN(const v1::WatchResponse message, gateway.Next());
    sent.bytes += static_cast<int64_t>(message.SerializeAsString().size());
    sent.records += message.snapshot().resources_size();
    last = message.snapshot().last();
  }
  return sent;
}

// Makes one change and returns when it is in a message for gateways; at once if it is none.
absl::Status Tell(Registry& registry, WatchHub::Subscription& gateway, const char* expression) {
  const store::Revision before = registry.store().revision();
  RETURN_IF_ERROR(Pin(registry, kCaller, ConsumerName(0), ServiceName(0), expression));
  const store::Revision revision = registry.store().revision();
  for (store::Revision told = before; told < revision;) {
    ASSIGN_OR_RETURN(const v1::WatchResponse message, gateway.Next());
    const auto& revisions = message.changes().revisions();
    if (!revisions.empty()) told = revisions.rbegin()->revision();
  }
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<WatchHub::Subscription>> Follow(WatchHub& hub) {
  return hub.Subscribe(v1::WatchRequest(), "bench", [] {});
}

absl::Status MeasureSnapshot(WatchHub& hub) {
  const absl::Time began = Now();
  ASSIGN_OR_RETURN(const auto gateway, Follow(hub));
  ASSIGN_OR_RETURN(const Sent sent, SendSnapshot(*gateway));
  std::printf("snapshot for a gateway: %lld records, %.1f MB, read and encoded in %.2f s\n",
              static_cast<long long>(sent.records), static_cast<double>(sent.bytes) / 1e6,
              SecondsSince(began));
  return absl::OkStatus();
}

// One change at a time, from its request to the message that tells it.
absl::Status MeasureLatency(Registry& registry, WatchHub& hub) {
  constexpr int kChanges = 500;
  ASSIGN_OR_RETURN(const auto gateway, Follow(hub));
  RETURN_IF_ERROR(SendSnapshot(*gateway).status());
  std::vector<double> milliseconds;
  for (int i = 0; i < kChanges; ++i) {
    const absl::Time began = Now();
    RETURN_IF_ERROR(Tell(registry, *gateway, i % 2 == 0 ? "1.0.0" : "^1"));
    milliseconds.push_back(SecondsSince(began) * 1e3);
  }
  std::sort(milliseconds.begin(), milliseconds.end());
  std::printf(
      "one change, from its request to the message for gateways: p50 %.2f ms, p99 %.2f ms\n",
      milliseconds[kChanges / 2], milliseconds[kChanges * 99 / 100]);
  return absl::OkStatus();
}

absl::Status MeasureThroughput(Registry& registry, const Size& size) {
  const absl::Time end = Now() + absl::Seconds(size.seconds);
  std::atomic<int64_t> changes = 0;
  const absl::Status status = InParallel(kCallers, [&](int64_t caller) {
    // Each caller has consumers of its own, and every call changes one of their pins.
    const int64_t own = size.consumers / kCallers;
    for (int64_t i = 0; Now() < end; ++i) {
      const int64_t consumer = caller * own + i % own;
      RETURN_IF_ERROR(Pin(registry, kCaller, ConsumerName(consumer),
                          ServiceName(PinnedService(size, consumer, 0)),
                          i / own % 2 == 0 ? "1.0.0" : "^1"));
      ++changes;
    }
    return absl::OkStatus();
  });
  std::printf("%d callers: %.0f durable pin changes a second\n", kCallers,
              static_cast<double>(changes) / size.seconds);
  return status;
}

absl::Status Measure(const std::string& path, const Size& size, bool fill) {
  absl::Time began = Now();
  ASSIGN_OR_RETURN(const std::unique_ptr<store::SqliteStore> store, store::SqliteStore::Open(path));
  ASSIGN_OR_RETURN(const std::unique_ptr<Registry> registry, Registry::Open(*store, SystemClock()));
  if (fill) return Fill(*registry, size);
  WatchHub hub(*registry, {});
  std::printf("opened in %.3f s, file %.0f MB, resident %.0f MB\n", SecondsSince(began),
              FileMb(path), MemoryMb("VmRSS"));
  RETURN_IF_ERROR(MeasureSnapshot(hub));
  RETURN_IF_ERROR(MeasureLatency(*registry, hub));
  RETURN_IF_ERROR(MeasureThroughput(*registry, size));
  std::printf("resident %.0f MB, at most %.0f MB\n", MemoryMb("VmRSS"), MemoryMb("VmHWM"));
  return absl::OkStatus();
}

absl::Status Main(const std::string& directory, const Size& size) {
  const std::string path = directory + "/scale.db";
  struct stat file = {};
  if (stat(path.c_str(), &file) != 0) RETURN_IF_ERROR(Measure(path, size, /*fill=*/true));
  return Measure(path, size, /*fill=*/false);
}

}  // namespace
}  // namespace pinion::service

int main(int argc, char** argv) {
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  if (argc < 2 || argc > 7) {
    std::fprintf(stderr,
                 "usage: registry_scale DIRECTORY [SERVICES] [VERSIONS_OF_EACH] [CONSUMERS] "
                 "[PINS_OF_EACH] [SECONDS]\n");
    return 2;
  }
  pinion::service::Size size;
  const auto number = [&](int at, auto& value) {
    if (argc > at) value = std::atoi(argv[at]);
  };
  number(2, size.services);
  number(3, size.versions);
  number(4, size.consumers);
  number(5, size.pins);
  number(6, size.seconds);
  const absl::Status status = pinion::service::Main(argv[1], size);
  if (!status.ok()) std::fprintf(stderr, "%s\n", status.ToString().c_str());
  return status.ok() ? 0 : 1;
}
