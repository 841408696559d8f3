// Durable pin changes a second: callers in parallel change pins of one service through the registry
// on SQLite. Run by hand, on the disk that matters:   registry_pins DIRECTORY [CALLERS] [SECONDS]
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/clock.h"
#include "registry/service/operations.h"
#include "registry/store/sqlite_store.h"

namespace pinion::service {
namespace {

constexpr int kConsumers = 1000;

v1::SetPinRequest PinOf(int consumer, const std::string& expression) {
  v1::SetPinRequest request;
  request.mutable_pin()->set_consumer(absl::StrCat("consumer-", consumer));
  request.mutable_pin()->set_service("bench");
  request.mutable_pin()->set_expression(expression);
  return request;
}

bool SetUp(Registry& registry, const Caller& caller) {
  for (int major : {1, 2}) {
    v1::PublishVersionRequest publish;
    publish.set_service("bench");
    publish.set_name(absl::StrCat(major, ".0.0"));
    v1::RegisterInstanceRequest instance;
    instance.mutable_instance()->set_service("bench");
    instance.mutable_instance()->set_version(publish.name());
    instance.mutable_instance()->mutable_address()->mutable_socket_address()->set_address(
        "127.0.0.1");
    instance.mutable_instance()->mutable_address()->mutable_socket_address()->set_port_value(9000);
    if (!PublishVersion(registry, caller, publish).ok()) return false;
    if (!RegisterInstance(registry, caller, instance).ok()) return false;
  }
  for (int i = 0; i < kConsumers; ++i) {
    v1::CreateConsumerRequest consumer;
    consumer.mutable_consumer()->set_name(absl::StrCat("consumer-", i));
    if (!Run(registry, CreateConsumer, caller, consumer).ok()) return false;
  }
  return true;
}

int Main(const std::string& directory, int callers, int seconds) {
  auto store = store::SqliteStore::Open(directory + "/bench.db");
  if (!store.ok()) {
    std::fprintf(stderr, "%s\n", std::string(store.status().message()).c_str());
    return 1;
  }
  auto registry = *Registry::Open(**store, SystemClock());
  const Caller caller{"bench"};
  if (!SetUp(*registry, caller)) return 1;
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
            const auto pin = Run(*registry, SetPin, caller,
                                 PinOf(t * own + i % own, i / own % 2 == 0 ? "^1" : "2.0.0"));
            if (!pin.ok() && failures == 0)
              std::fprintf(stderr, "%s\n", pin.status().ToString().c_str());
            (pin.ok() && pin->changed() ? changes : failures)++;
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
