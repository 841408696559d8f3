// Durable pin changes a second: callers in parallel change pins of one service through the registry
// on SQLite. Run by hand, on the disk that matters:   registry_pins DIRECTORY [CALLERS] [SECONDS]
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "registry/store/sqlite_store.h"
#include "tests/bench/fill_registry.h"

namespace pinion::service {
namespace {

constexpr int kConsumers = 1000;

int Main(const std::string& directory, int callers, int seconds) {
  auto store = store::SqliteStore::Open(directory + "/bench.db");
  if (!store.ok()) {
    std::fprintf(stderr, "%s\n", std::string(store.status().message()).c_str());
    return 1;
  }
  auto registry = *Registry::Open(**store, SystemClock());
  const Caller caller{"bench"};
  absl::Status filled = PublishEcho(*registry, caller, {9000, 9000});
  filled.Update(AddConsumers(*registry, caller, kConsumers, /*pin=*/false));
  if (!filled.ok()) {
    std::fprintf(stderr, "%s\n", filled.ToString().c_str());
    return 1;
  }
  const absl::Time end = SystemClock().Monotonic() + absl::Seconds(seconds);
  std::atomic<int64_t> changes = 0, failures = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < callers; ++t) {
    threads.emplace_back(
        [registry = registry.get(), &caller, &changes, &failures, t, callers, end] {
          // Each caller has consumers of its own, as consumers have pins of their own, and every
          // call changes one.
          const int own = kConsumers / callers;
          for (int i = 0; SystemClock().Monotonic() < end; ++i) {
            const absl::Status pinned = Pin(*registry, caller, ConsumerName(t * own + i % own),
                                            "echo", i / own % 2 == 0 ? "^1" : "2.0.0");
            if (!pinned.ok() && failures == 0)
              std::fprintf(stderr, "%s\n", pinned.ToString().c_str());
            (pinned.ok() ? changes : failures)++;
          }
        });
  }
  for (std::thread& thread : threads) thread.join();
  std::printf("%d callers: %.0f durable pin changes a second (%lld refused), revision %lld\n",
              callers, static_cast<double>(changes) / seconds, static_cast<long long>(failures),
              static_cast<long long>((*store)->revision()));
  return 0;
}

}  // namespace
}  // namespace pinion::service

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: registry_pins DIRECTORY [CALLERS] [SECONDS]\n");
    return 2;
  }
  return pinion::service::Main(argv[1], argc > 2 ? std::atoi(argv[2]) : 64,
                               argc > 3 ? std::atoi(argv[3]) : 5);
}
