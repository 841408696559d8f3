// One worker: a thread, its event loop, its listeners, and a Proxy. Shares nothing mutable but the
// counts of its crew; everything that reaches it is posted to its mailbox. Made and destroyed by
// Gateway on the main thread.
#pragma once

#include <functional>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "base/clock.h"
#include "gateway/net/epoll_loop.h"
#include "gateway/net/listener.h"
#include "gateway/proxy/proxy.h"
#include "gateway/worker/crew.h"
#include "gateway/worker/latest.h"
#include "gateway/worker/settings.h"
#include "gateway/worker/tls_rotation.h"
#include "gateway/worker/tls_set.h"

namespace pinion::worker {

class Worker {
 public:
  // `settings`, `crew`, which it joins, and `access_log` (null: none) outlive the worker. `fds`:
  // one bound descriptor for each listener, owned from now on.
  static absl::StatusOr<std::unique_ptr<Worker>> Create(const Settings& settings,
                                                        const Clock& clock, std::vector<int> fds,
                                                        std::shared_ptr<const TlsSet> tls,
                                                        uint64_t seed, access_log::Sink* access_log,
                                                        Crew& crew);
  // Stops at once.
  ~Worker();

  // Once, when the crew is whole.
  void Run();
  // Ends the thread at once; what is posted from now on never runs. Before any worker of the crew
  // is destroyed.
  void Stop();

  // Any thread.
  void SetTable(std::shared_ptr<const route::RouteTable> table);
  // Whose tokens are believed, for calls from some moment on. Any thread.
  void SetIssuers(std::shared_ptr<const auth::Issuers> issuers);
  // For connections from some moment on. Any thread.
  void SetTls(std::shared_ptr<const TlsSet> tls);
  // See Proxy::SetMemoryPressure(). Any thread.
  void SetMemoryPressure(proxy::MemoryPressure pressure);
  // What its calls used since the last time, given to `take` by the worker's thread; a worker that
  // has stopped gives nothing. Any thread.
  void CollectUsage(std::function<void(route::Usage)> take);
  // Stops listening, lets calls end, then stops the thread; at `timeout` it ends what still runs,
  // and the result is false. Once.
  std::future<bool> Drain(absl::Duration timeout);
  // Written by the worker, readable any time.
  const proxy::Stats& stats() const { return proxy_->stats(); }
  const http2::LimitCounters& limits() const { return std::as_const(*proxy_).limits(); }
  const net::TlsShared& tls() const { return std::as_const(*proxy_).tls(); }
  const TlsRotation& tls_rotation() const { return *tls_; }
  const proxy::TokenCache& tokens() const { return std::as_const(*proxy_).tokens(); }

 private:
  Worker(const Settings& settings, const Clock& clock, std::unique_ptr<net::EpollLoop> loop,
         uint64_t seed, access_log::Sink* access_log, Crew& crew);

  void Listen(int fd, size_t listener, const proxy::ListenerOptions& options);
  // A connection that this worker or another one has accepted.
  void Adopt(net::Fd socket, std::string peer, size_t listener);
  void CheckConnectionLimits();
  void BeginDrain(absl::Duration timeout);
  void CheckDrained();

  Crew& crew_;
  const std::unique_ptr<net::EpollLoop> loop_;
  std::unique_ptr<proxy::Proxy> proxy_;
  std::unique_ptr<TlsRotation> tls_;
  struct Listening {
    std::unique_ptr<net::Listener> listener;
    const proxy::ListenerOptions& options;
    bool full = false;  // it has connections_max_, and does not accept
  };
  std::vector<Listening> listeners_;
  Latest<proxy::MemoryPressure> memory_pressure_;
  const size_t connections_max_;  // of one listener here
  bool crowded_ = false;          // at limits::kHandshakesMax, and not accepting
  net::Timer room_timer_;         // not accepting: looks again for room
  net::Timer drain_timer_;        // draining: looks again whether everything has ended
  absl::Time drain_until_;
  std::promise<bool> drained_;  // kept by the worker's thread
  std::thread thread_;
};

}  // namespace pinion::worker
