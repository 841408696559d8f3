// The data plane as main() runs it: listeners and workers, and where their route tables come from.
// Made and drained on the main thread.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "gateway/watch/watcher.h"
#include "gateway/worker/gateway.h"
#include "pinion/config/v1/config.pb.h"

namespace pinion {

class GatewayPlane {
 public:
  struct Options {
    config::v1::Bootstrap bootstrap;
    // The registry to follow, as gRPC names it; empty: bootstrap.static_resources are all there is.
    std::string registry;
    std::string accepted_registry_id;
    // Called once, when calls can be routed: by any thread, perhaps before Start() returns.
    std::function<void()> ready;
  };

  // Errors are sentences for whoever starts the program.
  static absl::StatusOr<std::unique_ptr<GatewayPlane>> Start(Options options);

  const std::vector<worker::BoundListener>& listeners() const { return gateway_->listeners(); }

  // Lets calls end; false: some were ended when the configured time had passed.
  bool Drain();

 private:
  GatewayPlane() = default;
  absl::Status PublishStatic(const config::v1::Bootstrap& bootstrap);

  std::unique_ptr<worker::Gateway> gateway_;
  std::unique_ptr<watch::Watcher> watcher_;  // null: static; publishes to gateway_
};

}  // namespace pinion
