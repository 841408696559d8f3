// What it costs a registry on SQLite to find very many instances unreachable that it has not asked
// before: revisions, messages to each gateway, processor time; and what asking them again costs.
// The log on standard error is the third figure: count its lines.
// Run by hand:
//   instance_wave DIRECTORY [SERVICES] [INSTANCES_OF_EACH] [GATEWAYS] [SECONDS]
// DIRECTORY must hold no store yet. The instances are ports of 127.0.0.1 where nobody listens, and
// are asked over gRPC.
#include <sys/resource.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "base/status_macros.h"
#include "registry/model/keys.h"
#include "registry/probe/instance_probe.h"
#include "registry/service/draft.h"
#include "registry/service/instance_checker.h"
#include "registry/service/operations.h"
#include "registry/service/watch_hub.h"
#include "registry/store/sqlite_store.h"
#include "tests/bench/fill_registry.h"

namespace pinion::service {
namespace {

struct Size {
  int services = 100;
  int instances = 200;  // of each service
  int gateways = 10;
  int seconds = 20;  // of asking again
};

const Caller kCaller{"bench"};
// Below the ports that the kernel gives to clients; nobody listens on them.
constexpr int kFirstPort = 2000;

double SecondsSince(absl::Time began) {
  return absl::ToDoubleSeconds(SystemClock().Monotonic() - began);
}

double ProcessorSeconds() {
  rusage used = {};
  getrusage(RUSAGE_SELF, &used);
  return static_cast<double>(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
         static_cast<double>(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

std::string ServiceName(int number) { return absl::StrCat("team/service-", number); }

absl::Status FillOne(Registry& registry, int service, int instances) {
  v1::PublishVersionRequest publish;
  publish.set_service(ServiceName(service));
  publish.set_name("1.0.0");
  publish.set_descriptor_set(EchoSchema(absl::StrCat("bench.s", service)));
  RETURN_IF_ERROR(PublishVersion(registry, kCaller, publish).status());
  for (int i = 0; i < instances; ++i) {
    RETURN_IF_ERROR(
        RegisterLocal(registry, kCaller, publish.service(), publish.name(), kFirstPort + i));
  }
  return absl::OkStatus();
}

// One that reads all that it is told; counts the messages.
class Gateway {
 public:
  explicit Gateway(WatchHub& hub)
      : subscription_(*hub.Subscribe(v1::WatchRequest(), "bench", [] {})),
        thread_([gateway = this] {
          while (gateway->subscription_->Next().ok()) ++gateway->messages_;
        }) {}
  ~Gateway() { thread_.join(); }
  Gateway(const Gateway&) = delete;
  Gateway& operator=(const Gateway&) = delete;

  int64_t messages() const { return messages_; }

 private:
  const std::unique_ptr<WatchHub::Subscription> subscription_;
  std::atomic<int64_t> messages_ = 0;
  std::thread thread_;
};

absl::StatusOr<int> CountUnreachable(Registry& registry) {
  Draft draft(registry, kCaller);
  ASSIGN_OR_RETURN(const auto instances, draft.All<v1::Instance>(model::kInstances));
  int count = 0;
  for (const auto& instance : instances) {
    count += instance.value.check().verdict() == v1::InstanceCheck::UNREACHABLE ? 1 : 0;
  }
  return count;
}

// Figures of one stretch of time.
class Stretch {
 public:
  Stretch(const store::Store& store, const std::vector<std::unique_ptr<Gateway>>& gateways,
          const std::atomic<int64_t>& asked)
      : store_(store),
        gateways_(gateways),
        asked_(asked),
        revision_(store_.revision()),
        messages_(Messages()),
        asked_before_(asked) {}

  void Print(const char* what) const {
    const double seconds = SecondsSince(began_);
    std::printf(
        "%s: %.1f s, %lld revisions, %.0f messages to each gateway, %lld checks, %.1f s of "
        "processor\n",
        what, seconds, static_cast<long long>(store_.revision() - revision_),
        static_cast<double>(Messages() - messages_) / static_cast<double>(gateways_.size()),
        static_cast<long long>(asked_ - asked_before_), ProcessorSeconds() - processor_);
  }

 private:
  int64_t Messages() const {
    int64_t sum = 0;
    for (const auto& gateway : gateways_) sum += gateway->messages();
    return sum;
  }

  const store::Store& store_;
  const std::vector<std::unique_ptr<Gateway>>& gateways_;
  const std::atomic<int64_t>& asked_;
  const absl::Time began_ = SystemClock().Monotonic();
  const double processor_ = ProcessorSeconds();
  const store::Revision revision_;
  const int64_t messages_;
  const int64_t asked_before_;
};

absl::Status Main(const std::string& directory, const Size& size) {
  ASSIGN_OR_RETURN(const std::unique_ptr<store::SqliteStore> store,
                   store::SqliteStore::Open(directory + "/wave.db"));
  ASSIGN_OR_RETURN(const std::unique_ptr<Registry> registry, Registry::Open(*store, SystemClock()));
  std::vector<absl::Status> filled(static_cast<size_t>(size.services));
  std::vector<std::thread> threads;
  for (int i = 0; i < size.services; ++i) {
    threads.emplace_back([&registry, &size, &one = filled[static_cast<size_t>(i)], i] {
      one = FillOne(*registry, i, size.instances);
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const absl::Status& one : filled) RETURN_IF_ERROR(one);

  WatchHub hub(*registry, {});
  std::vector<std::unique_ptr<Gateway>> gateways;
  for (int i = 0; i < size.gateways; ++i) gateways.push_back(std::make_unique<Gateway>(hub));
  probe::InstanceProbe probe({});
  std::atomic<int64_t> asked = 0;
  const Stretch first(*store, gateways, asked);
  {
    InstanceChecker checker(
        *registry,
        [&probe, &asked](const probe::Question& question) {
          ++asked;
          return probe.Ask(question);
        },
        CheckerOptions());
    const int all = size.services * size.instances;
    for (int count = 0; count < all;) {
      // style: allow sleep, looking for it is not to be what is measured
      std::this_thread::sleep_for(std::chrono::milliseconds(250));
      ASSIGN_OR_RETURN(count, CountUnreachable(*registry));
    }
    first.Print("all found");
    const Stretch again(*store, gateways, asked);
    // style: allow sleep, a stretch of time is what is measured
    std::this_thread::sleep_for(std::chrono::seconds(size.seconds));
    again.Print("afterwards");
  }
  hub.Stop();
  return absl::OkStatus();
}

}  // namespace
}  // namespace pinion::service

int main(int argc, char** argv) {
  pinion::service::Size size;
  int* const numbers[] = {&size.services, &size.instances, &size.gateways, &size.seconds};
  for (int i = 2; i < argc && i < 6; ++i) (void)absl::SimpleAtoi(argv[i], numbers[i - 2]);
  if (argc < 2) {
    std::fprintf(stderr,
                 "usage: instance_wave DIRECTORY [SERVICES] [INSTANCES_OF_EACH] [GATEWAYS] "
                 "[SECONDS]\n");
    return 2;
  }
  const absl::Status status = pinion::service::Main(argv[1], size);
  if (status.ok()) return 0;
  std::fprintf(stderr, "%s\n", status.ToString().c_str());
  return 1;
}
