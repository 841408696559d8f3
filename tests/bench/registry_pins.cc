// Durable pin changes a second: callers in parallel change pins of one service through the registry
// on SQLite. Run by hand, on the disk that matters:   registry_pins DIRECTORY [CALLERS] [SECONDS]
#include <cstdio>
#include <cstdlib>
#include <string>

#include "base/clock.h"
#include "registry/store/sqlite_store.h"
#include "tests/bench/pin_changes.h"

namespace pinion::service {
namespace {

int Main(const std::string& directory, int callers, int seconds) {
  auto store = store::SqliteStore::Open(directory + "/bench.db");
  if (!store.ok()) {
    std::fprintf(stderr, "%s\n", std::string(store.status().message()).c_str());
    return 1;
  }
  auto registry = *Registry::Open(**store, SystemClock());
  if (const absl::Status ready = PreparePins(*registry); !ready.ok()) {
    std::fprintf(stderr, "%s\n", ready.ToString().c_str());
    return 1;
  }
  PrintPinChanges(ChangePins({registry.get()}, callers, seconds), callers, seconds);
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
