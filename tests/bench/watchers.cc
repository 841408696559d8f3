// Many gateways' streams at once, each on a connection of its own, against a registry that runs:
// what one change costs the registry, and how long it takes to the last of them. Run by
// `./dev bench --watchers`, for a registry_with_pins:
//   watchers PORT PID_OF_REGISTRY WATCHERS CHANGES
#include <grpcpp/grpcpp.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "base/check.h"
#include "base/clock.h"
#include "pinion/registry/v1/registry.grpc.pb.h"
#include "pinion/registry/v1/watch.grpc.pb.h"

namespace pinion {
namespace {

using registry::v1::WatchRequest;
using registry::v1::WatchResponse;

// What the registry's process has used so far.
struct Usage {
  double cpu_seconds = 0;
  double private_bytes = 0;
};

Usage UsageOf(const std::string& pid) {
  Usage usage;
  std::ifstream stat(absl::StrCat("/proc/", pid, "/stat"));
  std::string text((std::istreambuf_iterator<char>(stat)), {});
  std::istringstream fields(text.substr(text.rfind(')') + 2));
  std::vector<std::string> values;
  for (std::string value; fields >> value;) values.push_back(value);
  CHECK(values.size() > 12);
  usage.cpu_seconds =
      (std::stod(values[11]) + std::stod(values[12])) / static_cast<double>(sysconf(_SC_CLK_TCK));
  std::ifstream rollup(absl::StrCat("/proc/", pid, "/smaps_rollup"));
  for (std::string line; std::getline(rollup, line);) {
    if (!absl::StartsWith(line, "Private_")) continue;
    usage.private_bytes += std::stod(line.substr(line.find(':') + 1)) * 1024;
  }
  return usage;
}

// What all watchers have seen of the revision that they wait for. Thread-safe.
class Arrivals {
 public:
  void Expect(int64_t revision) {
    absl::MutexLock lock(&mutex_);
    revision_ = revision;
    times_.clear();
  }
  void Saw(int64_t revision) {
    const absl::Time now = SystemClock().Monotonic();
    absl::MutexLock lock(&mutex_);
    if (revision >= revision_) times_.push_back(now);
  }
  // When each of `count` saw it, ascending.
  std::vector<absl::Time> Wait(size_t count) {
    absl::MutexLock lock(&mutex_);
    const auto all = [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return times_.size() >= count; };
    CHECK(mutex_.AwaitWithTimeout(absl::Condition(&all), absl::Minutes(5)));
    return times_;
  }

 private:
  absl::Mutex mutex_;
  int64_t revision_ ABSL_GUARDED_BY(mutex_) = 0;
  std::vector<absl::Time> times_ ABSL_GUARDED_BY(mutex_);
};

std::shared_ptr<grpc::Channel> Connect(const std::string& port) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);  // a connection of its own
  arguments.SetMaxReceiveMessageSize(-1);
  return grpc::CreateCustomChannel("127.0.0.1:" + port, grpc::InsecureChannelCredentials(),
                                   arguments);
}

class Watcher final : private grpc::ClientReadReactor<WatchResponse> {
 public:
  Watcher(const std::string& port, int number, Arrivals& arrivals)
      : stub_(registry::v1::RoutingWatch::NewStub(Connect(port))), arrivals_(arrivals) {
    request_.set_gateway_id(absl::StrCat("watcher-", number));
    stub_->async()->Watch(&context_, &request_, this);
    StartRead(&response_);
    StartCall();
  }
  ~Watcher() override {
    context_.TryCancel();
    absl::MutexLock lock(&mutex_);
    mutex_.Await(absl::Condition(&done_));
  }

  size_t snapshot_bytes() const { return snapshot_bytes_; }
  size_t change_bytes() const { return change_bytes_; }

 private:
  void OnReadDone(bool ok) override {
    if (!ok) return;
    if (response_.has_snapshot()) {
      snapshot_bytes_ += response_.ByteSizeLong();
      if (response_.snapshot().last()) arrivals_.Saw(response_.snapshot().revision());
    }
    if (response_.has_changes()) {
      change_bytes_ = response_.ByteSizeLong();
      arrivals_.Saw(response_.changes().revisions().rbegin()->revision());
    }
    StartRead(&response_);
  }
  void OnDone(const grpc::Status&) override {
    absl::MutexLock lock(&mutex_);
    done_ = true;
  }

  const std::unique_ptr<registry::v1::RoutingWatch::Stub> stub_;
  Arrivals& arrivals_;
  grpc::ClientContext context_;
  WatchRequest request_;
  WatchResponse response_;
  size_t snapshot_bytes_ = 0;
  size_t change_bytes_ = 0;  // of the last message
  absl::Mutex mutex_;
  bool done_ ABSL_GUARDED_BY(mutex_) = false;
};

void MovePin(registry::v1::Registry::Stub& stub, int number) {
  grpc::ClientContext context;
  context.AddMetadata("pinion-actor", "bench");
  registry::v1::SetPinRequest request;
  request.mutable_pin()->set_consumer("billing");
  request.mutable_pin()->set_service("echo");
  request.mutable_pin()->set_expression(number % 2 == 0 ? "^2" : "^1");
  registry::v1::PinResponse response;
  const grpc::Status status = stub.SetPin(&context, request, &response);
  CHECK(status.ok());
}

double Of(std::vector<double>& sorted, double share) {
  std::sort(sorted.begin(), sorted.end());
  return sorted[static_cast<size_t>(share * static_cast<double>(sorted.size() - 1))];
}

void Run(const std::string& port, const std::string& pid, int count, int changes) {
  const auto stub = registry::v1::Registry::NewStub(Connect(port));
  MovePin(*stub, 1);
  const Usage alone = UsageOf(pid);
  Arrivals arrivals;
  const absl::Time begin = SystemClock().Monotonic();
  std::vector<std::unique_ptr<Watcher>> watchers;
  for (int i = 0; i < count; ++i) {
    watchers.push_back(std::make_unique<Watcher>(port, i, arrivals));
  }
  const absl::Duration joined = arrivals.Wait(watchers.size()).back() - begin;
  const Usage watched = UsageOf(pid);
  std::vector<double> every;
  std::vector<double> last;
  for (int i = 0; i < changes; ++i) {
    const absl::Time asked = SystemClock().Monotonic();
    arrivals.Expect(0);
    MovePin(*stub, i);
    const std::vector<absl::Time> times = arrivals.Wait(watchers.size());
    for (const absl::Time time : times) every.push_back(absl::ToDoubleMilliseconds(time - asked));
    last.push_back(absl::ToDoubleMilliseconds(times.back() - asked));
  }
  const Usage changed = UsageOf(pid);
  const double cpu_us = (changed.cpu_seconds - watched.cpu_seconds) * 1e6 / changes;
  std::printf("watchers                               %d\n", count);
  std::printf("all have the snapshot after            %.2f s\n", absl::ToDoubleSeconds(joined));
  std::printf("a snapshot                             %zu bytes\n", watchers[0]->snapshot_bytes());
  std::printf("a change, to each watcher              %zu bytes\n", watchers[0]->change_bytes());
  std::printf("CPU of the registry, a change          %.0f us (%.2f us a watcher)\n", cpu_us,
              cpu_us / count);
  std::printf("memory of the registry, a watcher      %.1f KiB\n",
              (watched.private_bytes - alone.private_bytes) / 1024 / count);
  std::printf("from the request to a watcher          p50 %.2f ms, p99 %.2f ms\n", Of(every, 0.5),
              Of(every, 0.99));
  std::printf("from the request to the last watcher   p50 %.2f ms, p99 %.2f ms\n", Of(last, 0.5),
              Of(last, 0.99));
}

}  // namespace
}  // namespace pinion

int main(int argc, char** argv) {
  if (argc != 5) {
    std::fprintf(stderr, "usage: watchers PORT PID_OF_REGISTRY WATCHERS CHANGES\n");
    return 2;
  }
  pinion::Run(argv[1], argv[2], std::atoi(argv[3]), std::atoi(argv[4]));
  return 0;
}
