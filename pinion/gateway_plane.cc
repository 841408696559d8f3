#include "pinion/gateway_plane.h"

#include <unistd.h>

#include <atomic>
#include <utility>

#include "base/clock.h"
#include "base/status_macros.h"
#include "config/static_routing.h"
#include "gateway/route/table_builder.h"

namespace pinion {
namespace {

// What a gateway is called that was given no name.
std::string HostName() {
  char name[256] = "";
  return ::gethostname(name, sizeof(name) - 1) == 0 && name[0] != '\0' ? name : "gateway";
}

// Wraps `ready` so that only the first table counts.
watch::Watcher::Publish PublishTo(worker::Gateway& gateway, std::function<void()> ready) {
  auto first = std::make_shared<std::atomic<bool>>(true);
  return
      [&gateway, first, ready = std::move(ready)](std::shared_ptr<const route::RouteTable> table) {
        gateway.Publish(std::move(table));
        if (first->exchange(false)) ready();
      };
}

}  // namespace

absl::StatusOr<std::unique_ptr<GatewayPlane>> GatewayPlane::Start(Options options) {
  auto plane = std::unique_ptr<GatewayPlane>(new GatewayPlane());
  ASSIGN_OR_RETURN(worker::Settings settings, worker::ReadSettings(options.bootstrap));
  ASSIGN_OR_RETURN(plane->gateway_, worker::Gateway::Start(std::move(settings), SystemClock()));
  if (options.registry.empty()) {
    RETURN_IF_ERROR(plane->PublishStatic(options.bootstrap));
    options.ready();
    return plane;
  }
  const std::string& node = options.bootstrap.node().id();
  ASSIGN_OR_RETURN(plane->watcher_, watch::Watcher::Start(
                                        {.gateway_id = node.empty() ? HostName() : node,
                                         .registry = options.registry,
                                         .snapshot_dir = options.bootstrap.gateway().snapshot_dir(),
                                         .accepted_registry_id = options.accepted_registry_id},
                                        PublishTo(*plane->gateway_, std::move(options.ready))));
  return plane;
}

absl::Status GatewayPlane::PublishStatic(const config::v1::Bootstrap& bootstrap) {
  ASSIGN_OR_RETURN(const std::vector<routing::v1::Resource> resources,
                   config::StaticRouting(bootstrap));
  route::TableBuilder builder;
  for (const routing::v1::Resource& resource : resources) RETURN_IF_ERROR(builder.Put(resource));
  ASSIGN_OR_RETURN(const auto schemas, config::StaticSchemas(bootstrap));
  for (const auto& [digest, file_descriptor_set] : schemas) {
    builder.PutSchema(digest, file_descriptor_set);
  }
  gateway_->Publish(builder.Build());
  return absl::OkStatus();
}

bool GatewayPlane::Drain() {
  watcher_.reset();
  return gateway_->Drain(gateway_->settings().drain_timeout);
}

}  // namespace pinion
