#include "gateway/worker/worker.h"

#include <algorithm>
#include <random>
#include <utility>

#include "base/status_macros.h"

namespace pinion::worker {
namespace {

// How often a full worker looks for room and a draining one for its end: unnoticed by people, no
// load.
constexpr absl::Duration kLookAgain = absl::Milliseconds(20);

proxy::Options WithSeed(proxy::Options options, uint64_t seed) {
  options.seed = seed;
  std::random_device entropy;
  options.trace_seed = uint64_t{entropy()} << 32 | entropy();
  return options;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Worker>> Worker::Create(const Settings& settings, const Clock& clock,
                                                       std::vector<int> fds,
                                                       std::shared_ptr<const TlsSet> tls,
                                                       uint64_t seed, access_log::Sink* access_log,
                                                       Crew& crew) {
  ASSIGN_OR_RETURN(std::unique_ptr<net::EpollLoop> loop, net::EpollLoop::Create(clock));
  std::unique_ptr<Worker> worker(
      new Worker(settings, clock, std::move(loop), seed, access_log, crew));
  worker->tls_->Use(std::move(tls));
  for (size_t i = 0; i < fds.size(); ++i) worker->Listen(fds[i], i, settings.listeners[i].options);
  crew.Add(*worker);
  return worker;
}

void Worker::Run() {
  thread_ = std::thread([loop = loop_.get()] {
    loop->Run();
    loop->Close();
  });
}

void Worker::Stop() {
  loop_->Stop();
  if (thread_.joinable()) thread_.join();
}

Worker::Worker(const Settings& settings, const Clock& clock, std::unique_ptr<net::EpollLoop> loop,
               uint64_t seed, access_log::Sink* access_log, Crew& crew)
    : crew_(crew),
      loop_(std::move(loop)),
      proxy_(std::make_unique<proxy::Proxy>(*loop_, WithSeed(settings.proxy, seed), access_log)),
      tls_(std::make_unique<TlsRotation>(settings, *loop_, clock, *proxy_)),
      connections_max_(std::max<size_t>(1, settings.connections_max / settings.workers)),
      room_timer_(
          loop_->timers(), [](void* self) { static_cast<Worker*>(self)->CheckConnectionLimits(); },
          this),
      drain_timer_(
          loop_->timers(), [](void* self) { static_cast<Worker*>(self)->CheckDrained(); }, this) {}

Worker::~Worker() { Stop(); }

void Worker::SetTable(std::shared_ptr<const route::RouteTable> table) {
  loop_->Post([proxy = proxy_.get(), table = std::move(table)] { proxy->SetTable(table); });
}

void Worker::SetIssuers(std::shared_ptr<const auth::Issuers> issuers) {
  loop_->Post([proxy = proxy_.get(), issuers = std::move(issuers)] { proxy->SetIssuers(issuers); });
}

void Worker::SetTls(std::shared_ptr<const TlsSet> tls) {
  loop_->Post([rotation = tls_.get(), tls = std::move(tls)] { rotation->Use(tls); });
}

// A worker that is busy for long would otherwise end calls for each time that it was told.
void Worker::SetMemoryPressure(proxy::MemoryPressure pressure) {
  if (!memory_pressure_.Put(pressure)) return;
  loop_->Post([worker = this] {
    worker->proxy_->SetMemoryPressure(worker->memory_pressure_.Take());
    worker->CheckConnectionLimits();
  });
}

void Worker::CollectUsage(std::function<void(route::Usage)> take) {
  loop_->Post([proxy = proxy_.get(), take = std::move(take)] { take(proxy->TakeUsage()); });
}

void Worker::Listen(int fd, size_t listener, const proxy::ListenerOptions& options) {
  auto accept = [worker = this, listener](net::Fd socket, std::string peer) {
    Worker& chosen = worker->crew_.Assign(*worker);
    if (&chosen == worker) return worker->Adopt(std::move(socket), std::move(peer), listener);
    chosen.loop_->Post([&chosen, shared = std::make_shared<net::Fd>(std::move(socket)),
                        peer = std::move(peer),
                        listener] { chosen.Adopt(std::move(*shared), peer, listener); });
  };
  listeners_.push_back({std::make_unique<net::Listener>(*loop_, fd, std::move(accept)), options});
}

void Worker::Adopt(net::Fd socket, std::string peer, size_t listener) {
  if (listeners_.empty()) return;  // it drains, and the caller finds another gateway
  tls_->Accept(loop_->Adopt(socket.Release(), std::move(peer)), listener);
  CheckConnectionLimits();
}

// At a limit new connections wait in the kernel's queue.
void Worker::CheckConnectionLimits() {
  if (listeners_.empty()) return;  // it drains
  const bool crowded = proxy_->newcomers() >= limits::kHandshakesMax;
  if (crowded && !crowded_) proxy_->limits().Add(http2::Limit::kHandshakes);
  if (crowded) proxy_->EndNewcomers(limits::kHandshakePatience);
  crowded_ = crowded;
  const bool no_memory = proxy_->memory_stage() == proxy::MemoryStage::kEndLargest;
  bool look_again = false;
  for (Listening& each : listeners_) {
    const bool full = proxy_->connections(each.options) >= connections_max_;
    if (full && !each.full) proxy_->limits().Add(http2::Limit::kMaxConnections);
    each.full = full;
    const bool pause = full || crowded || no_memory;
    pause ? each.listener->Pause() : each.listener->Resume();
    look_again |= pause;
  }
  if (look_again) room_timer_.Arm(loop_->now() + kLookAgain);
}

std::future<bool> Worker::Drain(absl::Duration timeout) {
  std::future<bool> drained = drained_.get_future();
  loop_->Post([worker = this, timeout] { worker->BeginDrain(timeout); });
  return drained;
}

void Worker::BeginDrain(absl::Duration timeout) {
  room_timer_.Cancel();
  listeners_.clear();
  proxy_->Drain();
  drain_until_ = loop_->now() + timeout;
  CheckDrained();
}

void Worker::CheckDrained() {
  const bool late = loop_->now() >= drain_until_;
  if (!proxy_->idle() && !late) return drain_timer_.Arm(loop_->now() + kLookAgain);
  if (late) proxy_->CloseAll("the gateway is shutting down");
  const bool all_ended = proxy_->idle();
  loop_->Stop();
  drained_.set_value(all_ended);
}

}  // namespace pinion::worker
