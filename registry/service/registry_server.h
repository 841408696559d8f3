// The registry as a server: store, operations, watch hub, housekeeping and gRPC in one object, for
// `pinion registry` and, beside the gateway, for `pinion serve`. Knows no gRPC type, so that who
// includes it does not compile gRPC's headers.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/clock.h"
#include "registry/probe/instance_probe.h"
#include "registry/service/gatekeeper.h"
#include "registry/service/housekeeper.h"
#include "registry/service/instance_checker.h"
#include "registry/service/registry.h"
#include "registry/service/registry_counts.h"
#include "registry/service/watch_hub.h"
#include "registry/store/store.h"

namespace pinion::service {

// PEM files, read again when they change.
struct ServerTls {
  std::string certificate_chain;
  std::string private_key;
  std::string trusted_ca;  // of clients' certificates; empty: none are asked for
  bool require_client_certificate = false;
  absl::Duration refresh = absl::Seconds(5);  // whole seconds, at least one
};

struct RegistryServerOptions {
  // "unix:/run/pinion/registry.sock", whose path is absolute since clients start anywhere; or
  // "127.0.0.1:7070", "[::1]:7070", "localhost:7070", where port 0 lets the kernel choose.
  std::string address;
  // Allows addresses that other machines reach without both of `tls` and `access`.
  bool insecure = false;
  std::optional<ServerTls> tls;         // of `address`
  std::optional<AccessOptions> access;  // unset: everybody may do everything
  // An absolute path: a Unix socket to listen on too, without TLS. Who can open it, or `address` if
  // that is one, may do everything. Empty: none.
  std::string local_socket;
  std::string binary_version;
  // An idle connection is asked after the first time whether the client is still there, and closed
  // when no answer comes within the second: a machine that has vanished holds nothing for long.
  absl::Duration keepalive_time = absl::Seconds(30);
  absl::Duration keepalive_timeout = absl::Seconds(10);
  RegistryOptions registry;
  WatchOptions watch;
  HousekeeperOptions housekeeping;
  // Unset: instances are checked only when somebody asks for it.
  std::optional<CheckerOptions> checks;
  probe::ProbeOptions probe;
};

class RegistryServer {
 public:
  // Serves when it returns. `store` and `clock` outlive the server. InvalidArgument: the address is
  // none, or a relative path; FailedPrecondition: it is reachable by others and `insecure` is not
  // set; InvalidArgument: a file of an issuer's keys is not good; Unavailable: it cannot be bound
  // (in use, no permission).
  static absl::StatusOr<std::unique_ptr<RegistryServer>> Start(
      store::Store& store, const Clock& clock, const RegistryServerOptions& options);
  ~RegistryServer();
  RegistryServer(const RegistryServer&) = delete;
  RegistryServer& operator=(const RegistryServer&) = delete;

  // Ends the watches, takes no new calls, and cancels those that still run after `grace`. Returns
  // when all are done. Happens once; the destructor does it with a grace of one second.
  void Shutdown(absl::Duration grace);

  // Reads and fetches the keys of tokens' issuers again, soon, also those that are not due yet.
  // Certificates are looked at every `refresh` and no sooner. Thread-safe.
  void ReloadKeys();

  // Not while Shutdown() runs, or after it. Thread-safe else.
  RegistryCounts Counts() const;

  // What clients connect to: as configured, with the real port.
  const std::string& address() const;
  int port() const;  // 0: a Unix socket
  const std::string& registry_id() const;
  // "unix:PATH" of the local socket, or `address` if there is none: what a client in this process
  // connects to.
  std::string local_address() const;

 private:
  struct Parts;
  explicit RegistryServer(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

// OK: a Unix socket or a loopback address, or any with both TLS and access. Else FailedPrecondition
// or InvalidArgument, as Start() says.
absl::Status CheckListenAddress(const RegistryServerOptions& options);

}  // namespace pinion::service
