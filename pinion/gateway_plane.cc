#include "pinion/gateway_plane.h"

#include <unistd.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/proto_duration.h"
#include "base/status_macros.h"
#include "config/address.h"
#include "config/load.h"
#include "config/static_routing.h"
#include "config/validate.h"
#include "pinion/registry_report.h"

namespace pinion {
namespace {

// What a gateway is called that was given no name.
std::string HostName() {
  char name[256] = "";
  return ::gethostname(name, sizeof(name) - 1) == 0 && name[0] != '\0' ? name : "gateway";
}

// What an operator types before a registry's id. Where the kernel chooses the admin port, a line at
// the start has said which it is.
std::string AcceptCommand(const config::v1::Bootstrap& config) {
  if (!config.admin().has_address()) return "restart the gateway once with --accept-registry";
  const routing::v1::Address& admin = config.admin().address();
  if (admin.socket_address().port_value() == 0) return "pinion gateway accept --admin ADDRESS";
  return absl::StrCat("pinion gateway accept --admin ", config::ToString(admin));
}

}  // namespace

absl::StatusOr<std::unique_ptr<GatewayPlane>> GatewayPlane::Start(Options options) {
  ASSIGN_OR_RETURN(worker::Settings settings, worker::ReadSettings(options.bootstrap));
  for (const std::string& warning : config::TlsWarnings(options.bootstrap, SystemClock().Wall())) {
    log::Warning("gateway", warning);
  }
  auto plane = std::unique_ptr<GatewayPlane>(
      new GatewayPlane(std::move(options.bootstrap), std::move(options.config_file)));
  if (!options.registries.empty()) {
    plane->pin_proposals_ = std::make_shared<watch::PinProposals>();
    settings.proxy.propose_pins =
        [queue = plane->pin_proposals_](std::vector<route::PinProposal> proposals) {
          queue->Push(std::move(proposals));
        };
    settings.proxy.count_usage = true;
  }
  ASSIGN_OR_RETURN(plane->gateway_, worker::Gateway::Start(std::move(settings), SystemClock()));
  RETURN_IF_ERROR(plane->StartTables(options));
  RETURN_IF_ERROR(plane->StartAdmin(options.registry_counts));
  return plane;
}

absl::Status GatewayPlane::StartTables(const Options& options) {
  if (options.registries.empty()) {
    RETURN_IF_ERROR(PublishStatic(bootstrap()));
    options.ready();
    return absl::OkStatus();
  }
  const config::v1::Bootstrap config = bootstrap();
  const std::string& node = config.node().id();
  auto first = std::make_shared<std::atomic<bool>>(true);
  watch::Options watch{
      .gateway_id = node.empty() ? HostName() : node,
      .registries = options.registries,
      .credentials = options.credentials,
      .snapshot_dir = config.gateway().snapshot_dir(),
      .pin_proposals = pin_proposals_,
      .collect_usage =
          [gateway = gateway_.get()](const std::function<void(route::Usage)>& take) {
            gateway->CollectUsage(take);
          },
      .workers = static_cast<size_t>(gateway_->settings().workers),
      .accepted_registry_id = options.accepted_registry_id,
      .accept_command = AcceptCommand(config),
  };
  if (config.gateway().has_report_interval()) {
    watch.report_interval = FromProto(config.gateway().report_interval());
  }
  // The plane owns the watcher, so it is there as long as this.
  ASSIGN_OR_RETURN(watcher_, watch::Watcher::Start(std::move(watch),
                                                   [plane = this, first, ready = options.ready](
                                                       std::shared_ptr<const route::RouteTable> t) {
                                                     plane->Publish(std::move(t));
                                                     if (first->exchange(false)) ready();
                                                   }));
  return absl::OkStatus();
}

absl::Status GatewayPlane::PublishStatic(const config::v1::Bootstrap& bootstrap) {
  ASSIGN_OR_RETURN(const std::vector<routing::v1::Resource> resources,
                   config::StaticRouting(bootstrap));
  ASSIGN_OR_RETURN(const auto schemas, config::StaticSchemas(bootstrap));
  static_tables_.Clear();
  for (const routing::v1::Resource& resource : resources) {
    RETURN_IF_ERROR(static_tables_.Put(resource));
  }
  for (const auto& [digest, file_descriptor_set] : schemas) {
    static_tables_.PutSchema(digest, file_descriptor_set);
  }
  Publish(static_tables_.Build());
  return absl::OkStatus();
}

absl::Status GatewayPlane::ReloadStatic() {
  ASSIGN_OR_RETURN(const config::Loaded loaded, config::LoadFile(config_file_));
  if (!loaded.bootstrap.has_static_resources()) {
    return absl::InvalidArgumentError(absl::StrCat(config_file_, ": has no static_resources"));
  }
  RETURN_IF_ERROR(PublishStatic(loaded.bootstrap));
  const absl::MutexLock lock(&mutex_);
  *bootstrap_.mutable_static_resources() = loaded.bootstrap.static_resources();
  return absl::OkStatus();
}

config::v1::Bootstrap GatewayPlane::bootstrap() const {
  const absl::MutexLock lock(&mutex_);
  return bootstrap_;
}

void GatewayPlane::Publish(std::shared_ptr<const route::RouteTable> table) {
  table_.Set(table);
  gateway_->Publish(std::move(table));
}

std::optional<watch::WatchStatus> GatewayPlane::watch_status() const {
  if (watcher_ == nullptr) return std::nullopt;
  return watcher_->status();
}

absl::Status GatewayPlane::Accept(const std::string& registry_id) {
  if (watcher_ == nullptr) return absl::FailedPreconditionError("this gateway follows no registry");
  return watcher_->Accept(registry_id);
}

absl::Status GatewayPlane::StartAdmin(
    const std::function<service::RegistryCounts()>& registry_counts) {
  const config::v1::Bootstrap config = bootstrap();
  if (!config.admin().has_address()) return absl::OkStatus();
  // The plane owns the port, and takes nothing away that it shows before it is gone.
  admin::Sources sources = {
      .bootstrap = [plane = this] { return plane->bootstrap(); },
      .table = [plane = this] { return plane->table_.Status(plane->watch_status()); },
      .metrics =
          [plane = this, registry_counts] {
            std::vector<admin::MetricFamily> families =
                Metrics(*plane->gateway_, plane->watch_status());
            if (registry_counts) AppendMetrics(registry_counts(), families);
            return families;
          },
      .draining = [plane = this] { return plane->draining_.load(); },
      .accept = [plane = this](const std::string& id) { return plane->Accept(id); },
  };
  if (registry_counts) {
    sources.registry = [registry_counts] { return StatusOf(registry_counts()); };
  }
  ASSIGN_OR_RETURN(admin_, admin::AdminServer::Start(config.admin().address(), std::move(sources)));
  return absl::OkStatus();
}

std::string GatewayPlane::admin_address() const {
  return admin_ == nullptr ? "" : admin_->address();
}

void GatewayPlane::Reload() {
  gateway_->ReloadTls();
  gateway_->ReloadKeys();
  if (watcher_ != nullptr) return;
  if (const absl::Status status = ReloadStatic(); status.ok()) {
    log::Info("gateway", absl::StrCat(config_file_,
                                      ": static_resources are in force as they are there now; "
                                      "changes of the rest wait for a restart"));
  } else {
    log::Warning("gateway", absl::StrCat(status.message(), "; what was there stays in force"));
  }
}

bool GatewayPlane::Drain() {
  draining_ = true;
  return gateway_->Drain(gateway_->settings().drain_timeout);
}

}  // namespace pinion
