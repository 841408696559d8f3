// What routing costs: finding a route among 1, 10,000 and 1,000,000 pins, and changing one pin
// among a million.
// ./build/release/tests/bench/route_bench [--benchmark_filter=REGEX]
#include <benchmark/benchmark.h>

#include <array>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "gateway/route/table_builder.h"

namespace pinion::route {
namespace {

constexpr char kPath[] = "/acme.AddressBook/Get";

std::string ConsumerName(int64_t i) { return absl::StrCat("team/consumer-", i); }

void Put(TableBuilder& builder, const routing::v1::Resource& resource) {
  CHECK(builder.Put(resource).ok());
}

void PutPin(TableBuilder& builder, int64_t consumer, const std::string& expression) {
  routing::v1::Resource resource;
  resource.mutable_pin()->set_consumer(ConsumerName(consumer));
  resource.mutable_pin()->set_service("addressbook");
  resource.mutable_pin()->set_expression(expression);
  Put(builder, resource);
}

// One service with ten versions; `pins` consumers with one pin each.
std::unique_ptr<TableBuilder> BuilderWithPins(int64_t pins) {
  auto builder = std::make_unique<TableBuilder>();
  routing::v1::Resource resource;
  resource.mutable_service()->set_name("addressbook");
  resource.mutable_service()->set_scheme(routing::v1::SEMVER);
  resource.mutable_service()->add_grpc_services("acme.AddressBook");
  Put(*builder, resource);
  for (int i = 1; i <= 10; ++i) {
    routing::v1::Version& version = *resource.mutable_version();
    version.set_service("addressbook");
    version.set_name(absl::StrCat(i, ".0.0"));
    version.set_state(routing::v1::ACTIVE);
    routing::v1::GrpcMethods& methods = *version.add_methods();
    methods.set_grpc_service("acme.AddressBook");
    methods.add_methods("Get");
    Put(*builder, resource);
    resource.Clear();
  }
  for (int64_t i = 0; i < pins; ++i) {
    resource.mutable_consumer()->set_name(ConsumerName(i));
    Put(*builder, resource);
    PutPin(*builder, i, absl::StrCat("^", 1 + i % 10));
  }
  return builder;
}

// Consumers in an order that no cache foresees; the names themselves are as close as a header just
// read.
using Caller = std::array<char, 32>;
std::vector<Caller> Callers(int64_t pins, int64_t count) {
  std::mt19937_64 random(1);
  std::vector<Caller> callers(static_cast<size_t>(count));
  for (Caller& caller : callers) {
    const auto i = static_cast<int64_t>(random() % static_cast<uint64_t>(pins));
    ConsumerName(i).copy(caller.data(), caller.size() - 1);
  }
  return callers;
}

// A call's whole routing: its path, its consumer by trusted header, its route. With few callers
// what they touch stays in the cache, and the cost is the same among any number of pins; with many,
// it is the memory's.
void BM_Resolve(benchmark::State& state) {
  const auto builder = BuilderWithPins(state.range(0));
  const std::shared_ptr<const RouteTable> table = builder->Build();
  const std::vector<Caller> callers = Callers(state.range(0), state.range(1));
  HeaderResolutions headers;
  size_t i = 0;
  for (auto _ : state) {
    CallQuery query;
    query.method = *ParseMethodPath(kPath);
    const std::optional<Consumer> consumer =
        table->FindConsumerByHeader(callers[i++ % callers.size()].data());
    query.consumer = &*consumer;
    Resolved resolved = table->Resolve(query, headers);
    CHECK(std::holds_alternative<Route>(resolved));
    benchmark::DoNotOptimize(resolved);
  }
}
BENCHMARK(BM_Resolve)
    ->ArgNames({"pins", "callers"})
    ->Args({1, 1})
    ->Args({10000, 64})
    ->Args({1000000, 64})
    ->Args({10000, 4096})
    ->Args({1000000, 4096});

// A call that asks by `api-version`: known from pins, and remembered by the worker.
void BM_ResolveHeader(benchmark::State& state) {
  const std::shared_ptr<const RouteTable> table = BuilderWithPins(100)->Build();
  const char* const asked = state.range(0) == 0 ? "^3" : "~3.0";
  HeaderResolutions headers;
  for (auto _ : state) {
    CallQuery query;
    query.method = *ParseMethodPath(kPath);
    query.version_header = asked;
    Resolved resolved = table->Resolve(query, headers);
    CHECK(std::holds_alternative<Route>(resolved));
    benchmark::DoNotOptimize(resolved);
  }
}
BENCHMARK(BM_ResolveHeader)->Arg(0)->Arg(1);

// A call that is refused, with everything that is sent: what a flood of them costs.
void BM_Refuse(benchmark::State& state) {
  const std::shared_ptr<const RouteTable> table = BuilderWithPins(100)->Build();
  HeaderResolutions headers;
  int64_t i = 0;
  for (auto _ : state) {
    const std::string asked = absl::StrCat(++i, ".9.9");
    CallQuery query;
    query.method = *ParseMethodPath(kPath);
    query.version_header = asked;
    const Resolved resolved = table->Resolve(query, headers);
    benchmark::DoNotOptimize(StatusDetails(std::get<Refusal>(resolved)));
  }
}
BENCHMARK(BM_Refuse);

// One pin moves to another expression that is in use, and the table is built anew.
void BM_ChangeOnePin(benchmark::State& state) {
  const auto builder = BuilderWithPins(state.range(0));
  std::shared_ptr<const RouteTable> table = builder->Build();
  int64_t i = 0;
  for (auto _ : state) {
    ++i;
    PutPin(*builder, i * 7919 % state.range(0), absl::StrCat("^", 1 + i % 10));
    table = builder->Build();
    benchmark::DoNotOptimize(table);
  }
}
BENCHMARK(BM_ChangeOnePin)->Arg(1)->Arg(10000)->Arg(1000000)->Unit(benchmark::kMicrosecond);

// From resources to the first table.
void BM_BuildAll(benchmark::State& state) {
  for (auto _ : state) {
    const auto builder = BuilderWithPins(state.range(0));
    const std::shared_ptr<const RouteTable> table = builder->Build();
    state.counters["bytes_per_pin"] =
        static_cast<double>(table->PinMemoryBytes()) / static_cast<double>(table->pin_count());
    state.counters["bytes_per_consumer"] = static_cast<double>(table->ConsumerMemoryBytes()) /
                                           static_cast<double>(table->consumer_count());
  }
}
BENCHMARK(BM_BuildAll)->Arg(1000000)->Unit(benchmark::kMillisecond)->Iterations(1);

}  // namespace
}  // namespace pinion::route

BENCHMARK_MAIN();
