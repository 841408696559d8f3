#include "gateway/worker/gateway.h"

#include <condition_variable>
#include <mutex>
#include <utility>

#include "base/status_macros.h"
#include "gateway/net/listener.h"

namespace pinion::worker {

absl::StatusOr<std::unique_ptr<Gateway>> Gateway::Start(Settings settings, const Clock& clock) {
  std::unique_ptr<Gateway> gateway(new Gateway(std::move(settings)));
  const Settings& kept = gateway->settings_;
  std::vector<net::BoundSockets> sockets;
  for (const ListenerSettings& listener : kept.listeners) {
    ASSIGN_OR_RETURN(net::BoundSockets bound,
                     net::BoundSockets::Bind(listener.endpoint, kept.workers));
    gateway->bound_.push_back({listener.options.name, bound.endpoint()});
    sockets.push_back(std::move(bound));
  }
  for (int i = 0; i < kept.workers; ++i) {
    std::vector<int> fds;
    for (net::BoundSockets& bound : sockets) fds.push_back(bound.Take());
    ASSIGN_OR_RETURN(std::unique_ptr<Worker> worker,
                     Worker::Start(kept, clock, std::move(fds), static_cast<uint64_t>(i)));
    gateway->workers_.push_back(std::move(worker));
  }
  return gateway;
}

void Gateway::Publish(std::shared_ptr<const route::RouteTable> table) {
  for (const auto& worker : workers_) worker->SetTable(table);
}

bool Gateway::Drain(absl::Duration timeout) {
  std::mutex mutex;
  std::condition_variable changed;
  size_t left = workers_.size();
  bool all_ended = true;
  for (const auto& worker : workers_) {
    worker->Drain(timeout, [&mutex, &changed, &left, &all_ended](bool ended) {
      std::lock_guard<std::mutex> lock(mutex);
      all_ended = all_ended && ended;
      --left;
      changed.notify_one();
    });
  }
  std::unique_lock<std::mutex> lock(mutex);
  changed.wait(lock, [&left] { return left == 0; });
  return all_ended;
}

std::vector<const proxy::Stats*> Gateway::stats() const {
  std::vector<const proxy::Stats*> all;
  for (const auto& worker : workers_) all.push_back(&worker->stats());
  return all;
}

}  // namespace pinion::worker
