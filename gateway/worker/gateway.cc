#include "gateway/worker/gateway.h"

#include <algorithm>
#include <future>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/log.h"
#include "base/status_macros.h"
#include "gateway/net/listener.h"
#include "gateway/net/open_files.h"

namespace pinion::worker {

namespace {

// Half of the files that the process can have open are not for callers: connections to instances
// and to the registry, logs, snapshots.
void BoundByOpenFiles(size_t open_files_max, Settings& settings) {
  const size_t most = open_files_max / 2 / std::max<size_t>(settings.listeners.size(), 1);
  if (settings.connections_max <= most) return;
  log::Warning("worker",
               absl::StrCat("each listener takes ", most, " connections instead of ",
                            settings.connections_max, ": the process may have ", open_files_max,
                            " files open (ulimit -n), and callers get half of them"));
  settings.connections_max = most;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Gateway>> Gateway::Start(Settings settings, const Clock& clock) {
  BoundByOpenFiles(net::RaiseOpenFilesLimit(), settings);
  std::unique_ptr<Gateway> gateway(new Gateway(std::move(settings)));
  const Settings& kept = gateway->settings_;
  // The gateway owns the one who tells, and the workers are there as long as he is.
  ASSIGN_OR_RETURN(
      gateway->tls_,
      TlsReloader::Start(kept, clock, [gateway = gateway.get()](std::shared_ptr<const TlsSet> tls) {
        for (const auto& worker : gateway->workers_) worker->SetTls(tls);
      }));
  RETURN_IF_ERROR(gateway->StartKeys(clock));
  std::vector<net::BoundSockets> sockets;
  for (const ListenerSettings& listener : kept.listeners) {
    ASSIGN_OR_RETURN(net::BoundSockets bound,
                     net::BoundSockets::Bind(listener.endpoint, kept.workers));
    gateway->bound_.push_back({listener.options.name, bound.endpoint()});
    sockets.push_back(std::move(bound));
  }
  const auto workers = static_cast<size_t>(kept.workers);
  if (!kept.access_log.path.empty()) {
    const auto seed = static_cast<uint64_t>(absl::ToUnixNanos(clock.Wall()));
    ASSIGN_OR_RETURN(gateway->access_log_,
                     access_log::Writer::Start(kept.access_log, clock, workers, seed));
  }
  for (size_t i = 0; i < workers; ++i) {
    std::vector<int> fds;
    for (net::BoundSockets& bound : sockets) fds.push_back(bound.Take());
    ASSIGN_OR_RETURN(std::unique_ptr<Worker> worker,
                     Worker::Create(kept, clock, std::move(fds), gateway->tls_->current(), i,
                                    gateway->access_log_ ? &gateway->access_log_->sink(i) : nullptr,
                                    gateway->crew_));
    gateway->workers_.push_back(std::move(worker));
  }
  for (const auto& worker : gateway->workers_) worker->SetIssuers(gateway->keys_->current());
  for (const auto& worker : gateway->workers_) worker->Run();
  gateway->memory_ = std::make_unique<MemoryGuard>(
      kept.memory_budget.value_or(MemoryLimit()), clock,
      [gateway = gateway.get()](proxy::MemoryPressure pressure) { gateway->Relieve(pressure); });
  gateway->memory_->LookFromNowOn();
  gateway->tls_->LookFromNowOn();
  gateway->keys_->RunFromNowOn();
  return gateway;
}

// Workers ask for keys until they have stopped, and are told of keys as long as they are there.
Gateway::~Gateway() {
  if (keys_ != nullptr) keys_->Stop();
  for (const auto& worker : workers_) worker->Stop();
}

// The gateway owns the source, which tells nobody before there are workers or while they go.
absl::Status Gateway::StartKeys(const Clock& clock) {
  ASSIGN_OR_RETURN(
      keys_, auth::KeySource::Start(settings_.jwt_issuers, clock, auth::FetchByCurl,
                                    [gateway = this](std::shared_ptr<const auth::Issuers> issuers) {
                                      for (const auto& worker : gateway->workers_) {
                                        worker->SetIssuers(issuers);
                                      }
                                    }));
  settings_.proxy.clock = &clock;
  settings_.proxy.unknown_key = [source = keys_.get()] { source->OnUnknownKey(); };
  return absl::OkStatus();
}

// Each worker gives back its part.
void Gateway::Relieve(proxy::MemoryPressure pressure) {
  pressure.give_back = (pressure.give_back + workers_.size() - 1) / workers_.size();
  for (const auto& worker : workers_) worker->SetMemoryPressure(pressure);
}

void Gateway::Publish(std::shared_ptr<const route::RouteTable> table) {
  for (const auto& worker : workers_) worker->SetTable(table);
}

void Gateway::CollectUsage(const std::function<void(route::Usage)>& take) const {
  for (const auto& worker : workers_) worker->CollectUsage(take);
}

void Gateway::ReopenLogs() {
  if (access_log_ != nullptr) access_log_->Reopen();
}

bool Gateway::Drain(absl::Duration timeout) {
  std::vector<std::future<bool>> drained;
  for (const auto& worker : workers_) drained.push_back(worker->Drain(timeout));
  bool all_ended = true;
  for (std::future<bool>& worker : drained) all_ended = worker.get() && all_ended;
  return all_ended;
}

std::vector<const http2::LimitCounters*> Gateway::limits() const {
  std::vector<const http2::LimitCounters*> all;
  for (const auto& worker : workers_) all.push_back(&worker->limits());
  return all;
}

std::vector<const net::TlsShared*> Gateway::tls() const {
  std::vector<const net::TlsShared*> all;
  for (const auto& worker : workers_) all.push_back(&worker->tls());
  return all;
}

std::vector<const proxy::TokenCache*> Gateway::tokens() const {
  std::vector<const proxy::TokenCache*> all;
  for (const auto& worker : workers_) all.push_back(&worker->tokens());
  return all;
}

uint64_t Gateway::tls_drained() const {
  uint64_t sum = 0;
  for (const auto& worker : workers_) sum += worker->tls_rotation().drained().value();
  return sum;
}

std::vector<const proxy::Stats*> Gateway::stats() const {
  std::vector<const proxy::Stats*> all;
  for (const auto& worker : workers_) all.push_back(&worker->stats());
  return all;
}

}  // namespace pinion::worker
