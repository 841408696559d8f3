// What it costs a call to be counted for the registry: its begin and its end, among few callers and
// among as many as a worker tells apart.
// ./build/release/tests/bench/usage_bench
#include <benchmark/benchmark.h>

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gateway/proxy/call_usage.h"
#include "gateway/route/testing_table.h"

namespace pinion::proxy {
namespace {

constexpr char kPath[] = "/acme.Greeter/Hello";

void BM_CountCall(benchmark::State& state) {
  const auto callers = static_cast<size_t>(state.range(0));
  route::TableBuilder tables;
  route::PutAll(tables, {"service { name: 'greeter' scheme: SEMVER grpc_services: 'acme.Greeter' }",
                         "version { service: 'greeter' name: '1.0.0' state: ACTIVE methods { "
                         "grpc_service: 'acme.Greeter' methods: 'Hello' } }",
                         "channel { service: 'greeter' name: 'stable' version: '1.0.0' }"});
  for (size_t i = 0; i < callers; ++i) {
    route::PutAll(tables, {absl::StrCat("consumer { name: 'team/consumer-", i, "' }")});
  }
  const auto table = tables.Build();
  std::vector<route::Consumer> consumers;
  for (size_t i = 0; i < callers; ++i) {
    consumers.push_back(*table->FindConsumerByHeader(absl::StrCat("team/consumer-", i)));
  }
  route::HeaderResolutions headers;
  const route::Resolved resolved =
      table->Resolve({.method = *route::ParseMethodPath(kPath)}, headers);
  const auto& route = std::get<route::Route>(resolved);
  CallUsage usage(/*counts=*/true);
  absl::Time now = absl::UnixEpoch();
  size_t next = 0;
  for (auto _ : state) {
    usage.Begin(*table, route, &consumers[next], kPath, now);
    usage.End(*route.version);
    if (++next == callers) next = 0;
  }
}
BENCHMARK(BM_CountCall)->Arg(1)->Arg(100)->Arg(4000);

}  // namespace
}  // namespace pinion::proxy

BENCHMARK_MAIN();
