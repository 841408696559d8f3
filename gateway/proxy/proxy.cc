#include "gateway/proxy/proxy.h"

#include <algorithm>
#include <utility>

#include "gateway/limits.h"
#include "gateway/memory_limits.h"
#include "gateway/upstream_limits.h"

namespace pinion::proxy {
namespace {

// A shared_ptr whose count belongs to this worker, so that a call's copy touches no cache line of
// another.
std::shared_ptr<const route::RouteTable> Rewrap(std::shared_ptr<const route::RouteTable> table) {
  const route::RouteTable* raw = table.get();
  return std::shared_ptr<const route::RouteTable>(raw, [table = std::move(table)](const auto*) {});
}

// Takes one that knows its place out of `all`; the last takes its place.
template <typename T>
std::unique_ptr<T> TakeFrom(std::vector<std::unique_ptr<T>>& all, const T& one) {
  const size_t index = one.index;
  std::unique_ptr<T> taken = std::move(all[index]);
  if (index + 1 != all.size()) {
    all[index] = std::move(all.back());
    all[index]->index = index;
  }
  all.pop_back();
  return taken;
}

// Gives those of `all` that hold most to `end`, the largest first, until they held `bytes`; none
// that holds less than limits::kLargestBytesMin. Returns how much they held.
template <typename T, typename Held, typename End>
size_t EndLargest(const std::vector<T*>& all, size_t bytes, Held held, End end) {
  std::vector<std::pair<size_t, T*>> large;
  for (T* each : all) {
    if (held(*each) >= limits::kLargestBytesMin) large.emplace_back(held(*each), each);
  }
  std::sort(large.begin(), large.end(),
            [](const auto& a, const auto& b) { return a.first > b.first; });
  size_t sum = 0;
  for (const auto& [size, each] : large) {
    if (sum >= bytes) break;
    sum += size;
    end(*each);
  }
  return sum;
}

}  // namespace

Proxy::Proxy(net::EventLoop& loop, Options options, access_log::Sink* access_log)
    : loop_(loop),
      options_(std::move(options)),
      access_log_(access_log),
      trace_ids_(options_.trace_seed),
      shared_(loop),
      clusters_(shared_, options_.upstream, options_.seed),
      pin_proposals_(loop, stats_, options_.propose_pins),
      usage_(options_.count_usage),
      tokens_(options_.clock, options_.unknown_key),
      table_(std::make_shared<route::RouteTable>()),
      sweep_timer_(
          loop.timers(), [](void* self) { static_cast<Proxy*>(self)->Sweep(); }, this) {}

Proxy::~Proxy() = default;

void Proxy::SetTable(std::shared_ptr<const route::RouteTable> table) {
  table_ = Rewrap(std::move(table));
  // From the back: telling one may end it, and the last takes its place.
  for (size_t i = builtins_.size(); i > 0; --i) builtins_[i - 1]->OnTable(table_);
  if (table_->has_drains() || calls_drain_) {
    calls_drain_ = false;
    for (const auto& call : calls_) calls_drain_ |= call->OnTable(*table_);
  }
  if (!sweep_timer_.armed()) sweep_timer_.Arm(loop_.now() + limits::kSweepDelay);
}

void Proxy::Accept(std::unique_ptr<net::ByteStream> stream, const ListenerOptions& listener,
                   uint64_t generation) {
  downstreams_.push_back(
      std::make_unique<Downstream>(*this, shared_, std::move(stream), listener, generation));
  Downstream& accepted = *downstreams_.back();
  accepted.index = downstreams_.size() - 1;
  accepted.newcomer = newcomers_.insert(newcomers_.end(), &accepted);
  ++by_listener_[&listener];
  stats_.connections.Add();
  stats_.connections_total.Add();
  if (draining_) accepted.Drain();
}

size_t Proxy::connections(const ListenerOptions& listener) const {
  const auto it = by_listener_.find(&listener);
  return it == by_listener_.end() ? 0 : it->second;
}

void Proxy::ForgetNewcomer(Downstream& downstream) {
  newcomers_.erase(*downstream.newcomer);
  downstream.newcomer.reset();
}

void Proxy::EndNewcomers(absl::Duration patience) {
  while (!newcomers_.empty() && newcomers_.front()->since() + patience <= loop_.now()) {
    Downstream& newcomer = *newcomers_.front();
    ForgetNewcomer(newcomer);
    newcomer.Close("its handshake takes too long while others wait");
  }
}

void Proxy::Drain() {
  draining_ = true;
  for (const auto& downstream : downstreams_) downstream->Drain();
}

size_t Proxy::DrainGenerations(const ListenerOptions& listener, uint64_t first, uint64_t last,
                               size_t most) {
  size_t asked = 0;
  for (const auto& downstream : downstreams_) {
    if (asked == most) break;
    const uint64_t generation = downstream->generation();
    if (&downstream->listener() != &listener || generation < first || generation > last) continue;
    if (downstream->draining()) continue;
    downstream->Drain();
    ++asked;
  }
  return asked;
}

void Proxy::CloseAll(absl::string_view why) {
  for (const auto& downstream : downstreams_) downstream->Close(why);
}

absl::Duration Proxy::Jitter(absl::Duration duration) {
  constexpr uint64_t kSteps = 1 << 20;
  const double share = static_cast<double>(clusters_.random().Below(kSteps + 1)) / kSteps;
  return duration * (1 + limits::kAgeJitter * (2 * share - 1));
}

Proxy::Scratch& Proxy::scratch() {
  scratch_.request.clear();
  scratch_.fields.clear();
  return scratch_;
}

Call& Proxy::NewCall() {
  if (free_calls_.empty()) {
    calls_.push_back(std::make_unique<Call>(*this));
    calls_.back()->index = calls_.size() - 1;
    return *calls_.back();
  }
  Call* call = free_calls_.back();
  free_calls_.pop_back();
  return *call;
}

void Proxy::Recycle(Call& call) {
  ended_calls_.push_back(&call);
  loop_.AtEndOfTurn(*this);
}

void Proxy::RunAtEndOfTurn() {
  for (Call* call : ended_calls_) {
    if (free_calls_.size() < limits::kCallsKeptMax) {
      free_calls_.push_back(call);
    } else {
      TakeFrom(calls_, *call).reset();
    }
  }
  ended_calls_.clear();
}

void Proxy::Remove(Downstream& downstream) {
  if (downstream.newcomer.has_value()) ForgetNewcomer(downstream);
  --by_listener_[&downstream.listener()];
  loop_.DeleteLater(TakeFrom(downstreams_, downstream));
  stats_.connections.Subtract();
}

BuiltinExchange& Proxy::Adopt(std::unique_ptr<BuiltinExchange> exchange) {
  builtins_.push_back(std::move(exchange));
  return *builtins_.back();
}

void Proxy::Discard(BuiltinExchange& exchange) {
  const auto place = std::find_if(builtins_.begin(), builtins_.end(),
                                  [&](const auto& each) { return each.get() == &exchange; });
  loop_.DeleteLater(std::move(*place));
  *place = std::move(builtins_.back());
  builtins_.pop_back();
}

void Proxy::EndBuiltins(const Downstream& downstream) {
  // From the back, as in SetTable().
  for (size_t i = builtins_.size(); i > 0; --i) {
    if (&builtins_[i - 1]->downstream() == &downstream) builtins_[i - 1]->OnLastGoAway();
  }
}

void Proxy::SetMemoryPressure(MemoryPressure pressure) {
  memory_stage_ = pressure.stage;
  if (pressure.stage >= MemoryStage::kEndIdle) {
    for (const auto& downstream : downstreams_) {
      downstream->DrainIfIdle(limits::kIdleTimeoutShort, http2::Limit::kMemoryIdle);
    }
  }
  if (pressure.give_back == 0) return;
  const size_t given_back = EndLargestCalls(pressure.give_back);
  if (given_back < pressure.give_back) DropLargestConnections(pressure.give_back - given_back);
}

size_t Proxy::EndLargestCalls(size_t bytes) {
  std::vector<Exchange*> all;
  for (const auto& call : calls_) all.push_back(call.get());
  for (const auto& builtin : builtins_) all.push_back(builtin.get());
  return EndLargest(
      all, bytes, [](const Exchange& exchange) { return exchange.held_bytes(); },
      [this](Exchange& exchange) {
        limits().Add(http2::Limit::kMemoryLargest);
        exchange.EndForMemory();
      });
}

void Proxy::DropLargestConnections(size_t bytes) {
  std::vector<Downstream*> all;
  for (const auto& downstream : downstreams_) all.push_back(downstream.get());
  EndLargest(
      all, bytes, [](const Downstream& downstream) { return downstream.unwritten_bytes(); },
      [this](Downstream& downstream) {
        limits().Add(http2::Limit::kMemoryLargest);
        downstream.Drop("memory is short, and too much waits here to be read");
      });
}

void Proxy::RefreshClusters() {
  if (clusters_.table_generation() != table_->generation()) Sweep();
}

void Proxy::Sweep() {
  if (!clusters_.Sweep(*table_)) sweep_timer_.Arm(loop_.now() + limits::kSweepDelay);
}

}  // namespace pinion::proxy
