// The data plane of one process: all listeners and workers. Owned by main(), used on its thread;
// Publish() from any thread.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "base/clock.h"
#include "gateway/access_log/writer.h"
#include "gateway/net/endpoint.h"
#include "gateway/proxy/stats.h"
#include "gateway/route/route_table.h"
#include "gateway/worker/memory_guard.h"
#include "gateway/worker/settings.h"
#include "gateway/worker/tls_reloader.h"
#include "gateway/worker/worker.h"

namespace pinion::worker {

struct BoundListener {
  std::string name;
  net::Endpoint endpoint;  // with the real port
};

class Gateway {
 public:
  // Binds every listener, then starts the workers; until the first Publish() every call is refused.
  // Errors name the address. `clock` outlives the gateway.
  static absl::StatusOr<std::unique_ptr<Gateway>> Start(Settings settings, const Clock& clock);

  // Stops at once; a fetch of keys that runs may take up to a second to end.
  ~Gateway();
  Gateway(const Gateway&) = delete;
  Gateway& operator=(const Gateway&) = delete;

  // Calls that begin from some moment on use `table`.
  void Publish(std::shared_ptr<const route::RouteTable> table);

  // Each worker's usage, given to `take` by its thread: settings().workers times, unless it drains.
  // Any thread.
  void CollectUsage(const std::function<void(route::Usage)>& take) const;

  const std::vector<BoundListener>& listeners() const { return bound_; }
  const Settings& settings() const { return settings_; }

  // Closes the listeners, says GOAWAY, and returns when every call has ended (true), or at
  // `timeout` after ending the rest (false).
  bool Drain(absl::Duration timeout);

  // Opens the access log's file anew, for logrotate.
  void ReopenLogs();
  // Reads the files of certificates again, soon, whether they look changed or not.
  void ReloadTls() { tls_->LookSoon(); }
  // The keys of tokens' issuers, likewise.
  void ReloadKeys() { keys_->ReloadSoon(); }
  auth::KeySourceStatus keys_status() const { return keys_->status(); }
  TlsStatus tls_status() const { return tls_->status(); }

  MemoryStatus memory_status() const { return memory_->status(); }

  // Null: there is none.
  const access_log::Writer* access_log() const { return access_log_.get(); }

  // One for each worker; readable from any thread as long as the gateway lives.
  std::vector<const proxy::Stats*> stats() const;
  std::vector<const http2::LimitCounters*> limits() const;
  std::vector<const net::TlsShared*> tls() const;
  // Connections that were asked to go before their certificate expires, of all workers.
  uint64_t tls_drained() const;
  std::vector<const proxy::TokenCache*> tokens() const;

 private:
  explicit Gateway(Settings settings) : settings_(std::move(settings)) {}

  absl::Status StartKeys(const Clock& clock);
  void Relieve(proxy::MemoryPressure pressure);

  Settings settings_;  // constant once it has started
  std::vector<BoundListener> bound_;
  std::unique_ptr<access_log::Writer> access_log_;  // outlives the workers
  Crew crew_;
  std::unique_ptr<auth::KeySource> keys_;  // tells the workers, and is asked by them
  std::vector<std::unique_ptr<Worker>> workers_;
  std::unique_ptr<TlsReloader> tls_;     // tells the workers
  std::unique_ptr<MemoryGuard> memory_;  // likewise
};

}  // namespace pinion::worker
