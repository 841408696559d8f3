#include "pinion/registry_plane.h"

#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "auth/issuer_config.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/proto_duration.h"
#include "base/status_macros.h"
#include "config/address.h"
#include "pinion/etcd_options.h"
#include "pinion/registry_report.h"
#include "registry/store/etcd_store.h"
#include "registry/store/memory_store.h"
#include "registry/store/sqlite_store.h"

namespace pinion {
namespace {

// Calls of the registry's API take milliseconds; watches are told to end first.
constexpr absl::Duration kGrace = absl::Seconds(5);
// What most issuers call it.
constexpr char kDefaultGroupsClaim[] = "groups";

// A socket by its absolute path: what is printed is good in any directory.
std::string ListenAddress(const routing::v1::Address& address) {
  if (!address.has_pipe()) return config::ToString(address);
  return absl::StrCat("unix:", std::filesystem::absolute(address.pipe().path()).native());
}

service::RegistryOptions OptionsOf(const config::v1::Registry& config) {
  service::RegistryOptions options;
  if (config.has_rollback_window()) options.rollback_window = FromProto(config.rollback_window());
  if (config.has_usage_window()) options.usage_window = FromProto(config.usage_window());
  return options;
}

service::CheckerOptions CheckerOptionsOf(const config::v1::Registry& config) {
  service::CheckerOptions options;
  const config::v1::InstanceChecks& checks = config.instance_checks();
  if (checks.has_health_interval()) {
    options.times.health_interval = FromProto(checks.health_interval());
  }
  if (checks.has_schema_interval()) {
    options.times.schema_interval = FromProto(checks.schema_interval());
  }
  return options;
}

probe::ProbeOptions ProbeOptionsOf(const config::v1::Registry& config) {
  probe::ProbeOptions options;
  const config::v1::InstanceChecks& checks = config.instance_checks();
  if (checks.has_timeout()) options.timeout = FromProto(checks.timeout());
  for (const config::v1::UpstreamTls& tls : checks.upstream_tls()) {
    options.tls.push_back({.services = {tls.services().begin(), tls.services().end()},
                           .trusted_ca = tls.trusted_ca(),
                           .certificate_chain = tls.tls_certificate().certificate_chain(),
                           .private_key = tls.tls_certificate().private_key()});
  }
  return options;
}

std::optional<service::ServerTls> TlsOf(const config::v1::Registry& config) {
  if (!config.has_tls()) return std::nullopt;
  const config::v1::DownstreamTls& tls = config.tls();
  return service::ServerTls{.certificate_chain = tls.tls_certificates(0).certificate_chain(),
                            .private_key = tls.tls_certificates(0).private_key(),
                            .trusted_ca = tls.trusted_ca(),
                            .require_client_certificate = tls.require_client_certificate()};
}

std::optional<service::AccessOptions> AccessOf(const config::v1::Registry& config) {
  if (!config.has_access()) return std::nullopt;
  const config::v1::Access& access = config.access();
  service::AccessOptions options{
      .operators = {access.operators().begin(), access.operators().end()}};
  for (const config::v1::JwtIssuer& issuer : access.jwt_issuers()) {
    options.issuers.push_back(auth::IssuerOptionsOf(issuer));
    options.issuers.back().groups_claim =
        access.groups_claim().empty() ? kDefaultGroupsClaim : access.groups_claim();
  }
  return options;
}

std::string AbsolutePath(const std::string& path) {
  return path.empty() ? "" : std::filesystem::absolute(path).native();
}

}  // namespace

absl::StatusOr<std::unique_ptr<store::Store>> OpenStore(const config::v1::Store& config,
                                                        std::function<bool()> stop) {
  if (config.has_memory()) return std::make_unique<store::MemoryStore>(SystemClock());
  if (config.has_etcd()) {
    ASSIGN_OR_RETURN(store::EtcdOptions options, EtcdOptionsOf(config.etcd()));
    options.stop_opening = std::move(stop);
    return store::OpenEtcdStore(options, SystemClock());
  }
  const std::string& path = config.sqlite().path();
  const std::filesystem::path directory = std::filesystem::path(path).parent_path();
  std::error_code error;
  if (!directory.empty()) std::filesystem::create_directories(directory, error);
  if (error) {
    return absl::FailedPreconditionError(
        absl::StrCat("cannot make ", directory.native(), " for the store: ", error.message(),
                     "; name another place with --store or registry.store.sqlite.path"));
  }
  ASSIGN_OR_RETURN(std::unique_ptr<store::SqliteStore> store,
                   store::SqliteStore::Open(path, SystemClock()));
  return std::unique_ptr<store::Store>(std::move(store));
}

absl::StatusOr<std::unique_ptr<RegistryPlane>> RegistryPlane::Start(
    const config::v1::Registry& config, std::function<bool()> stop) {
  auto plane = std::unique_ptr<RegistryPlane>(new RegistryPlane());
  ASSIGN_OR_RETURN(plane->store_, OpenStore(config.store(), std::move(stop)));
  ASSIGN_OR_RETURN(plane->server_, service::RegistryServer::Start(
                                       *plane->store_, SystemClock(),
                                       {.address = ListenAddress(config.address()),
                                        .insecure = config.insecure(),
                                        .tls = TlsOf(config),
                                        .access = AccessOf(config),
                                        .local_socket = AbsolutePath(config.local_socket()),
                                        .binary_version = PINION_VERSION,
                                        .registry = OptionsOf(config),
                                        .checks = CheckerOptionsOf(config),
                                        .probe = ProbeOptionsOf(config)}));
  return plane;
}

absl::Status RegistryPlane::StartAdmin(const config::v1::Bootstrap& bootstrap) {
  if (!bootstrap.admin().has_address()) return absl::OkStatus();
  ASSIGN_OR_RETURN(admin_, admin::AdminServer::Start(
                               bootstrap.admin().address(),
                               {.bootstrap = [bootstrap] { return bootstrap; },
                                .metrics =
                                    [plane = this] {
                                      std::vector<admin::MetricFamily> families;
                                      AppendMetrics(plane->counts(), families);
                                      return families;
                                    },
                                .registry = [plane = this] { return StatusOf(plane->counts()); }}));
  return absl::OkStatus();
}

std::string RegistryPlane::admin_address() const {
  return admin_ == nullptr ? "" : admin_->address();
}

void RegistryPlane::Reload() {
  server_->ReloadKeys();
  log::Info("registry",
            "keys of issuers are read and fetched again; certificates that have changed are in "
            "force within seconds; changes of the rest wait for a restart");
}

void RegistryPlane::Stop() {
  admin_.reset();
  server_->Shutdown(kGrace);
}

}  // namespace pinion
