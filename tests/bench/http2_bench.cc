// Cost of the engine alone: unary calls from a client session through memory to an echoing server
// session and back, 50 at once as 4 × 50 does on a wire. Prints ns and allocations per call.
#include <benchmark/benchmark.h>

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <new>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gateway/http2/session.h"
#include "gateway/http2/slab_pool.h"

namespace {

std::atomic<uint64_t> allocations{0};

}  // namespace

// style: allow raw-new, counts what the benchmark allocates
void* operator new(size_t size) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  void* memory = std::malloc(size);
  if (memory == nullptr) std::abort();
  return memory;
}
// GCC does not see that the operator above is ours too.
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"
void operator delete(void* memory) noexcept { std::free(memory); }  // style: allow raw-new, counted
void operator delete(void* memory, size_t) noexcept {
  std::free(memory);
}  // style: allow raw-new, counted

namespace pinion::http2 {
namespace {

const absl::Time kNow = absl::FromUnixSeconds(1);

class Echo {
 public:
  explicit Echo(size_t body_bytes)
      : body_(body_bytes, 'x'),
        client_(Role::kClient, {}, pool_),
        server_(Role::kServer, {}, pool_) {}

  // `count` calls at once, from their HEADERS to their trailers.
  void Calls(int count) {
    for (int i = 0; i < count; ++i) {
      Stream* stream = client_.OpenStream(request_, false, nullptr);
      Send(client_, *stream, body_.size(), true);
    }
    while (!client_.output().empty() || !server_.output().empty()) {
      Carry(client_, server_);
      for (Stream* waiting = server_.NextWritable(); waiting != nullptr;
           waiting = server_.NextWritable()) {
        Send(server_, *waiting, reinterpret_cast<uintptr_t>(waiting->user()), false);
        if (waiting->user() == nullptr) Finish(*waiting);
      }
      Carry(server_, client_);
      while (Stream* waiting = client_.NextWritable()) {
        Send(client_, *waiting, reinterpret_cast<uintptr_t>(waiting->user()), true);
      }
    }
  }

  uint64_t completed = 0;

 private:
  // What cannot be sent yet is remembered in the stream's user pointer.
  void Send(Session& session, Stream& stream, size_t size, bool end_stream) {
    const size_t sent = session.SendData(
        stream, Bytes(reinterpret_cast<const uint8_t*>(body_.data()), size), end_stream);
    stream.set_user(reinterpret_cast<void*>(size - sent));
  }

  void Finish(Stream& stream) {
    if (!stream.remote_closed()) return;
    server_.SendTrailers(stream, trailers_);
    server_.Release(stream);
  }

  void Carry(Session& from, Session& to) {
    Bytes piece;
    while (from.output().Peek(absl::MakeSpan(&piece, 1)) > 0) {
      Bytes rest = piece;
      while (!rest.empty()) {
        rest.remove_prefix(to.Receive(rest, kNow));
        for (const Event& event : to.events()) &to == &server_ ? AtServer(event) : AtClient(event);
        to.ReleaseEvents();
      }
      from.output().Consume(piece.size());
    }
  }

  void AtServer(const Event& event) {
    if (event.stream == nullptr) return;
    Stream& stream = *event.stream;
    if (event.type == EventType::kHeaders) server_.SendHeaders(stream, response_, false);
    if (event.type == EventType::kData) server_.Consume(stream, event.data.size());
    if (event.end_stream) {
      Send(server_, stream, body_.size(), false);
      if (stream.user() == nullptr) Finish(stream);
    }
  }

  void AtClient(const Event& event) {
    if (event.stream == nullptr) return;
    if (event.type == EventType::kData) client_.Consume(*event.stream, event.data.size());
    if (!event.end_stream) return;
    ++completed;
    client_.Release(*event.stream);
  }

  const std::string body_;
  SlabPool pool_;
  Session client_;
  Session server_;
  const std::vector<HeaderField> request_ = {
      {":method", "POST"},
      {":scheme", "http"},
      {":path", "/pinion.bench.v1.Echo/Unary"},
      {":authority", "localhost:8080"},
      {"te", "trailers"},
      {"content-type", "application/grpc"},
      {"user-agent", "grpc-c++/1.51.1 grpc-c/29.0.0 (linux; chttp2)"},
      {"grpc-accept-encoding", "identity, deflate, gzip"},
      {"x-api-key", "0123456789abcdef"},
      {"grpc-timeout", "999m"}};
  const std::vector<HeaderField> response_ = {
      {":status", "200"}, {"content-type", "application/grpc"}, {"api-version", "1.4.2"}};
  const std::vector<HeaderField> trailers_ = {{"grpc-status", "0"}, {"grpc-message", ""}};
};

void BM_UnaryEcho(benchmark::State& state) {
  constexpr int kAtOnce = 50;
  Echo echo(static_cast<size_t>(state.range(0)));
  for (int i = 0; i < 10; ++i) echo.Calls(kAtOnce);  // pools fill, tables learn
  echo.completed = 0;
  const uint64_t before = allocations.load();
  for (auto _ : state) echo.Calls(kAtOnce);
  const auto calls = static_cast<double>(echo.completed);
  state.counters["allocs/call"] = static_cast<double>(allocations.load() - before) / calls;
  state.counters["ns/call"] =
      benchmark::Counter(calls / 1e9, benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}
BENCHMARK(BM_UnaryEcho)->Arg(64)->Arg(1024)->Arg(65536);

void BM_IdleSession(benchmark::State& state) {
  SlabPool pool;
  for (auto _ : state) {
    Session session(Role::kServer, {}, pool);
    benchmark::DoNotOptimize(session.output().size());
  }
}
BENCHMARK(BM_IdleSession);

}  // namespace
}  // namespace pinion::http2

BENCHMARK_MAIN();
