// The control plane as main() runs it: a store, the registry in front of it, and, where there is no
// gateway in the process that has one, the admin port. Made and destroyed on the main thread.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gateway/admin/admin_server.h"
#include "pinion/config/v1/config.pb.h"
#include "registry/service/registry_counts.h"
#include "registry/service/registry_server.h"
#include "registry/store/store.h"

namespace pinion {

// A store that is missing is made, with its directory. `stop`, which may be null, is asked while it
// waits for an etcd: true ends that. REQUIRES: `config` names one.
absl::StatusOr<std::unique_ptr<store::Store>> OpenStore(const config::v1::Store& config,
                                                        std::function<bool()> stop);

class RegistryPlane {
 public:
  // Serves when it returns. A store that is missing is made, with its directory. Errors are
  // sentences for whoever starts the program. `stop`: as of OpenStore(). REQUIRES: `config` has an
  // address and a store.
  static absl::StatusOr<std::unique_ptr<RegistryPlane>> Start(const config::v1::Registry& config,
                                                              std::function<bool()> stop);

  // Opens the admin port of `bootstrap`, if that has one.
  absl::Status StartAdmin(const config::v1::Bootstrap& bootstrap);

  // With the real port; as gRPC names it.
  const std::string& address() const { return server_->address(); }
  // For a gateway in this process: the local socket, or the same.
  std::string local_address() const { return server_->local_address(); }

  // "127.0.0.1:8082"; empty: it has opened no admin port.
  std::string admin_address() const;
  // Until Stop(). Any thread.
  service::RegistryCounts counts() const { return server_->Counts(); }

  // Reads and fetches the keys of tokens' issuers again, and says so in the log. Main thread.
  void Reload();

  // Closes the admin port, ends the watches and lets calls end for a moment.
  void Stop();

 private:
  RegistryPlane() = default;

  std::unique_ptr<store::Store> store_;
  std::unique_ptr<service::RegistryServer> server_;
  std::unique_ptr<admin::AdminServer> admin_;  // null: none; shows the server
};

}  // namespace pinion
