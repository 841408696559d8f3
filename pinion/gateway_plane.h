// The data plane as main() runs it: listeners and workers, where their route tables come from, and
// the admin port. Made and drained on the main thread.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "dial/credentials.h"
#include "gateway/admin/admin_server.h"
#include "gateway/route/table_builder.h"
#include "gateway/watch/watcher.h"
#include "gateway/worker/gateway.h"
#include "pinion/config/v1/config.pb.h"
#include "pinion/gateway_report.h"
#include "registry/service/registry_counts.h"

namespace pinion {

class GatewayPlane {
 public:
  struct Options {
    config::v1::Bootstrap bootstrap;
    std::string config_file;  // that it is from, for Reload()
    // The registry to follow: its address, or those of its replicas. Empty:
    // bootstrap.static_resources are all there is.
    std::vector<std::string> registries;
    dial::Credentials credentials = {};  // that the registry is shown
    std::string accepted_registry_id;
    // Called once, when calls can be routed: by any thread, perhaps before Start() returns.
    std::function<void()> ready;
    // Of the registry in the same process, for the admin port, which is one for both; outlives the
    // plane. Empty: there is none.
    std::function<service::RegistryCounts()> registry_counts = {};
  };

  // Errors are sentences for whoever starts the program.
  static absl::StatusOr<std::unique_ptr<GatewayPlane>> Start(Options options);

  const std::vector<worker::BoundListener>& listeners() const { return gateway_->listeners(); }
  // "127.0.0.1:8082"; empty: there is no admin port.
  std::string admin_address() const;

  // Opens the access log's file anew, for logrotate. Main thread.
  void ReopenLogs() { gateway_->ReopenLogs(); }
  // Reads certificates and keys again and, without a registry, static_resources; what is not good
  // changes nothing and is logged. Main thread.
  void Reload();

  // Lets calls end; false: some were ended when the configured time had passed.
  bool Drain();

 private:
  GatewayPlane(config::v1::Bootstrap bootstrap, std::string config_file)
      : config_file_(std::move(config_file)), bootstrap_(std::move(bootstrap)) {}
  absl::Status StartTables(const Options& options);
  absl::Status PublishStatic(const config::v1::Bootstrap& bootstrap);
  absl::Status ReloadStatic();
  absl::Status StartAdmin(const std::function<service::RegistryCounts()>& registry_counts);
  void Publish(std::shared_ptr<const route::RouteTable> table);
  std::optional<watch::WatchStatus> watch_status() const;
  absl::Status Accept(const std::string& registry_id);
  config::v1::Bootstrap bootstrap() const;

  const std::string config_file_;
  mutable absl::Mutex mutex_;
  config::v1::Bootstrap bootstrap_ ABSL_GUARDED_BY(mutex_);  // what is in force
  route::TableBuilder static_tables_;  // without a registry; the main thread's
  TableInForce table_;
  std::atomic<bool> draining_{false};
  std::shared_ptr<watch::PinProposals> pin_proposals_;  // from gateway_ to watcher_; null: static
  std::unique_ptr<worker::Gateway> gateway_;
  std::unique_ptr<watch::Watcher> watcher_;    // null: static; publishes to gateway_
  std::unique_ptr<admin::AdminServer> admin_;  // null: none; shows all of the above
};

}  // namespace pinion
