// What a fleet's registry costs a gateway: a start from disk, that is the recording of a snapshot
// read and made into the first route table, what it then holds, and one change.
// ./build/release/tests/bench/watch_bench [--benchmark_filter=REGEX]
#include <benchmark/benchmark.h>
#include <malloc.h>
#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "gateway/watch/recording.h"
#include "gateway/watch/routing_state.h"

namespace pinion::watch {
namespace {

using registry::v1::SnapshotChunk;
using registry::v1::WatchResponse;

// As many as the registry puts into one message.
constexpr int kResourcesPerChunk = 2000;

// Stages a snapshot chunk by chunk, as the stream brings it.
class SnapshotWriter {
 public:
  explicit SnapshotWriter(Recording& recording) : recording_(recording) { Begin(true); }

  routing::v1::Resource& Add() {
    if (chunk().resources_size() == kResourcesPerChunk) {
      recording_.Stage(message_);
      Begin(false);
    }
    return *chunk().add_resources();
  }
  void Finish() {
    chunk().set_last(true);
    recording_.Stage(message_);
    CHECK(recording_.Commit().ok());
  }

 private:
  SnapshotChunk& chunk() { return *message_.mutable_snapshot(); }
  void Begin(bool first) {
    message_.Clear();
    message_.set_registry_id("a");
    chunk().set_first(first);
    chunk().set_revision(1);
  }

  Recording& recording_;
  WatchResponse message_;
};

std::string ConsumerName(int64_t i) { return absl::StrCat("team/consumer-", i); }
std::string ServiceName(int64_t i) { return absl::StrCat("team/service-", i); }

constexpr int kVersionsPerService = 10;

// So many services with ten versions each, an instance of each version, and `pins` consumers with
// one pin each, spread over the services.
void Record(const std::string& directory, int64_t services, int64_t pins) {
  const auto recording = Recording::Open(directory);
  CHECK(recording.ok());
  SnapshotWriter writer(**recording);
  for (int64_t s = 0; s < services; ++s) {
    routing::v1::Service& service = *writer.Add().mutable_service();
    service.set_name(ServiceName(s));
    service.set_scheme(routing::v1::SEMVER);
    service.add_grpc_services(absl::StrCat("acme.team.Service", s));
  }
  for (int64_t i = 0; i < services * kVersionsPerService; ++i) {
    routing::v1::Version& version = *writer.Add().mutable_version();
    version.set_service(ServiceName(i / kVersionsPerService));
    version.set_name(absl::StrCat(1 + i % kVersionsPerService, ".0.0"));
    version.set_state(routing::v1::ACTIVE);
  }
  for (int64_t i = 0; i < services * kVersionsPerService; ++i) {
    routing::v1::Instance& instance = *writer.Add().mutable_instance();
    instance.set_service(ServiceName(i / kVersionsPerService));
    instance.set_version(absl::StrCat(1 + i % kVersionsPerService, ".0.0"));
    instance.set_uid(absl::StrCat("instance-", i));
    routing::v1::SocketAddress& address = *instance.mutable_address()->mutable_socket_address();
    address.set_address("10.0.0.1");
    address.set_port_value(static_cast<uint32_t>(1024 + i % 60000));
  }
  for (int64_t i = 0; i < pins; ++i) {
    writer.Add().mutable_consumer()->set_name(ConsumerName(i));
  }
  for (int64_t i = 0; i < pins; ++i) {
    routing::v1::Pin& pin = *writer.Add().mutable_pin();
    pin.set_consumer(ConsumerName(i));
    pin.set_service(ServiceName(i % services));
    pin.set_expression(absl::StrCat("^", 1 + i % kVersionsPerService));
  }
  writer.Finish();
}

// A recording in a directory of its own, for as long as this lives.
class Recorded {
 public:
  Recorded(int64_t services, int64_t pins) {
    CHECK(mkdtemp(directory_.data()) != nullptr);
    Record(directory_, services, pins);
  }
  ~Recorded() { std::filesystem::remove_all(directory_); }

  const std::string& directory() const { return directory_; }
  double bytes() const {
    return static_cast<double>(std::filesystem::file_size(directory_ + "/routing.snapshot"));
  }

 private:
  std::string directory_ = "/tmp/pinion_watch_bench_XXXXXX";
};

// What this process holds.
double ResidentBytes() {
  std::ifstream statm("/proc/self/statm");
  int64_t size = 0, resident = 0;
  statm >> size >> resident;
  return static_cast<double>(resident) * static_cast<double>(sysconf(_SC_PAGESIZE));
}

void BM_StartFromDisk(benchmark::State& state) {
  const Recorded recorded(state.range(0), state.range(1));
  state.counters["file_bytes"] = recorded.bytes();
  for (auto _ : state) {
    malloc_trim(0);
    const double before = ResidentBytes();
    auto recording = Recording::Open(recorded.directory());
    CHECK(recording.ok());
    auto routing = std::make_unique<RoutingState>("gateway");
    std::vector<std::string> remarks;
    CHECK((*recording)->Load(*routing, remarks).ok());
    auto table = routing->TakeTable();
    CHECK(table.ok());
    CHECK((*table)->pin_count() == static_cast<size_t>(state.range(1)));
    // Taking it all down again is no part of a start.
    state.PauseTiming();
    malloc_trim(0);
    state.counters["held_bytes"] = ResidentBytes() - before;
    table->reset();
    routing.reset();
    recording->reset();
    state.ResumeTiming();
  }
}
// Services, pins. The second holds no pins: what the rest takes of the third.
BENCHMARK(BM_StartFromDisk)
    ->Args({1, 1'000'000})
    ->Args({10'000, 0})
    ->Args({10'000, 1'000'000})
    ->Unit(benchmark::kMillisecond)
    ->Iterations(1);

// From a message with one moved pin to the table that calls use.
void BM_OneChange(benchmark::State& state) {
  const Recorded recorded(state.range(0), state.range(1));
  auto recording = Recording::Open(recorded.directory());
  RoutingState routing("gateway");
  std::vector<std::string> remarks;
  CHECK((*recording)->Load(routing, remarks).ok());
  CHECK(routing.TakeTable().ok());
  (void)routing.BeginStream();
  std::shared_ptr<const route::RouteTable> table;
  for (auto _ : state) {
    WatchResponse message;
    message.set_registry_id("a");
    registry::v1::RevisionChanges& revision = *message.mutable_changes()->add_revisions();
    revision.set_revision(routing.revision() + 1);
    routing::v1::Pin& pin = *revision.add_changes()->mutable_put()->mutable_pin();
    pin.set_consumer(ConsumerName(0));
    pin.set_service(ServiceName(0));
    pin.set_expression(absl::StrCat("^", 1 + revision.revision() % kVersionsPerService));
    CHECK(routing.Receive(message).ok());
    auto next = routing.TakeTable();
    CHECK(next.ok());
    table = *std::move(next);
  }
}
BENCHMARK(BM_OneChange)
    ->Args({1, 1'000'000})
    ->Args({10'000, 1'000'000})
    ->Unit(benchmark::kMicrosecond)
    ->Iterations(1000);

}  // namespace
}  // namespace pinion::watch

BENCHMARK_MAIN();
