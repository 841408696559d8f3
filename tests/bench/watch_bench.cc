// What it costs a gateway to start from disk: the recording of a snapshot with a million consumers
// and pins, read and made into the first route table.
// ./build/release/tests/bench/watch_bench [--benchmark_filter=REGEX]
#include <benchmark/benchmark.h>
#include <stdlib.h>

#include <filesystem>
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

// One service with ten versions; `pins` consumers with one pin each.
void Record(const std::string& directory, int64_t pins) {
  const auto recording = Recording::Open(directory);
  CHECK(recording.ok());
  SnapshotWriter writer(**recording);
  routing::v1::Service& service = *writer.Add().mutable_service();
  service.set_name("addressbook");
  service.set_scheme(routing::v1::SEMVER);
  service.add_grpc_services("acme.AddressBook");
  for (int i = 1; i <= 10; ++i) {
    routing::v1::Version& version = *writer.Add().mutable_version();
    version.set_service("addressbook");
    version.set_name(absl::StrCat(i, ".0.0"));
    version.set_state(routing::v1::ACTIVE);
  }
  for (int64_t i = 0; i < pins; ++i) {
    writer.Add().mutable_consumer()->set_name(ConsumerName(i));
  }
  for (int64_t i = 0; i < pins; ++i) {
    routing::v1::Pin& pin = *writer.Add().mutable_pin();
    pin.set_consumer(ConsumerName(i));
    pin.set_service("addressbook");
    pin.set_expression(absl::StrCat("^", 1 + i % 10));
  }
  writer.Finish();
}

void BM_StartFromDisk(benchmark::State& state) {
  std::string directory = "/tmp/pinion_watch_bench_XXXXXX";
  CHECK(mkdtemp(directory.data()) != nullptr);
  Record(directory, state.range(0));
  state.counters["file_bytes"] =
      static_cast<double>(std::filesystem::file_size(directory + "/routing.snapshot"));
  for (auto _ : state) {
    auto recording = Recording::Open(directory);
    CHECK(recording.ok());
    auto routing = std::make_unique<RoutingState>("gateway");
    std::vector<std::string> remarks;
    CHECK((*recording)->Load(*routing, remarks).ok());
    auto table = routing->TakeTable();
    CHECK(table.ok());
    CHECK((*table)->pin_count() == static_cast<size_t>(state.range(0)));
    // Taking it all down again is no part of a start.
    state.PauseTiming();
    table->reset();
    routing.reset();
    recording->reset();
    state.ResumeTiming();
  }
  std::filesystem::remove_all(directory);
}
BENCHMARK(BM_StartFromDisk)->Arg(1000000)->Unit(benchmark::kMillisecond)->Iterations(1);

}  // namespace
}  // namespace pinion::watch

BENCHMARK_MAIN();
