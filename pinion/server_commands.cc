#include "pinion/server_commands.h"

#include <csignal>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/address.h"
#include "base/log.h"
#include "base/status_macros.h"
#include "clients/cli/commands.h"
#include "clients/cli/text.h"
#include "config/address.h"
#include "config/load.h"
#include "dial/credentials.h"
#include "pinion/accept_command.h"
#include "pinion/announcement.h"
#include "pinion/defaults.h"
#include "pinion/gateway_plane.h"
#include "pinion/registry_plane.h"
#include "pinion/restore_command.h"

namespace pinion {
namespace {

// What a process runs; null: it does not, or not yet. The gateway, which may follow the registry
// beside it, ends first.
struct Planes {
  std::unique_ptr<RegistryPlane> registry;
  std::unique_ptr<GatewayPlane> gateway;
};

// Before any thread: signals are the main thread's, and a peer that is gone is an error of write(),
// not the end of the process. SIGUSR1 is of logrotate, SIGHUP of whoever renews certificates.
void TakeSignals(cli::Invocation& run, const Planes& planes) {
  run.WaitForStop(absl::ZeroDuration());
  std::signal(SIGPIPE, SIG_IGN);
  run.OnReload([&planes](cli::Reload reload) {
    if (planes.gateway != nullptr) planes.gateway->ReopenLogs();
    if (reload != cli::Reload::kAll) return;
    if (planes.registry != nullptr) planes.registry->Reload();
    if (planes.gateway != nullptr) planes.gateway->Reload();
  });
}

void WaitUntilStopped(cli::Invocation& run) {
  while (!run.WaitForStop(absl::InfiniteDuration())) {
  }
}

void DrainUntilEmpty(GatewayPlane& gateway) {
  log::Info("pinion", "stopping: calls may end; another signal ends at once");
  if (!gateway.Drain()) log::Warning("pinion", "some calls had to be ended");
}

// `address` empty: there is none.
void AnnounceAdmin(const std::string& address, Announcement& announcement) {
  if (!address.empty()) announcement.Line(absl::StrCat("admin address=", address));
}

void AnnounceGateway(const GatewayPlane& gateway, Announcement& announcement) {
  announcement.Listeners(gateway.listeners());
  AnnounceAdmin(gateway.admin_address(), announcement);
}

// ---- gateway ----

struct GatewayFlags {
  std::string config;
  std::string accept_registry;
};

// An address of --registry is held to what one in the file is held to.
absl::Status CheckRegistryFlag(const std::string& address, const config::Loaded& loaded) {
  const config::v1::Registry& registry = loaded.bootstrap.registry();
  const auto refuse = [&](const auto&... why) {
    return absl::InvalidArgumentError(absl::StrCat("--registry ", address, ": ", why...));
  };
  if (absl::StartsWith(address, "https://")) {
    return refuse("a gateway speaks TLS to its registry as ", loaded.filename,
                  " says in registry.client.tls; write HOST:PORT here");
  }
  ASSIGN_OR_RETURN(const AddressParts parts, ParseAddress(address, AddressUse::kEither));
  if (IsLocalAddress(parts) || registry.client().has_tls()) return absl::OkStatus();
  if (!registry.client().token_file().empty()) {
    return refuse(
        "the token of registry.client.token_file would go there unencrypted: set "
        "registry.client.tls in ",
        loaded.filename);
  }
  if (registry.insecure()) return absl::OkStatus();
  return refuse("is on another machine: set registry.client.tls in ", loaded.filename,
                ", or say `registry: {insecure: true}` there");
}

// Where route tables come from; empty: the file itself. `flag`: of --registry.
absl::StatusOr<std::vector<std::string>> RegistriesToFollow(const config::Loaded& loaded,
                                                            const std::vector<std::string>& flag) {
  const config::v1::Bootstrap& bootstrap = loaded.bootstrap;
  const bool follows = bootstrap.registry().has_address() || !flag.empty();
  if (!flag.empty() && bootstrap.has_static_resources()) {
    return absl::InvalidArgumentError(
        absl::StrCat(loaded.filename,
                     ": has static_resources, and --registry names a registry to follow: a "
                     "gateway routes by one of them; take the other out"));
  }
  if (!follows && !bootstrap.has_static_resources()) {
    return absl::InvalidArgumentError(
        absl::StrCat(loaded.filename,
                     ": says nothing to route by: add static_resources, or name a registry "
                     "with registry.address or --registry"));
  }
  for (const std::string& address : flag) {
    RETURN_IF_ERROR(CheckRegistryFlag(address, loaded));
  }
  if (!flag.empty() || !follows) return flag;
  std::vector<std::string> registries = {config::ToString(bootstrap.registry().address())};
  for (const routing::v1::Address& replica : bootstrap.registry().replicas()) {
    registries.push_back(config::ToString(replica));
  }
  return registries;
}

dial::Credentials CredentialsOf(const config::v1::RegistryClient& client) {
  return {.tls = client.has_tls(),
          .trusted_ca = client.tls().trusted_ca(),
          .certificate_chain = client.tls().tls_certificate().certificate_chain(),
          .private_key = client.tls().tls_certificate().private_key(),
          .tls_name = client.tls().tls_name(),
          .token = "",
          .token_file = client.token_file()};
}

absl::Status RunGateway(cli::Invocation& run, const GatewayFlags& flags) {
  Announcement announcement(run.out());  // outlives what says something there
  Planes planes;
  TakeSignals(run, planes);
  ASSIGN_OR_RETURN(config::Loaded loaded, config::LoadFile(flags.config));
  ASSIGN_OR_RETURN(std::vector<std::string> registries,
                   RegistriesToFollow(loaded, run.registry_flag()));
  if (loaded.bootstrap.listeners().empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat(loaded.filename, ": has no listeners: a gateway needs one"));
  }
  dial::Credentials credentials = CredentialsOf(loaded.bootstrap.registry().client());
  ASSIGN_OR_RETURN(planes.gateway,
                   GatewayPlane::Start({.bootstrap = std::move(loaded.bootstrap),
                                        .config_file = flags.config,
                                        .registries = std::move(registries),
                                        .credentials = std::move(credentials),
                                        .accepted_registry_id = flags.accept_registry,
                                        .ready = [&announcement] { announcement.Ready(); }}));
  AnnounceGateway(*planes.gateway, announcement);
  announcement.AddressesSaid();
  WaitUntilStopped(run);
  DrainUntilEmpty(*planes.gateway);
  return absl::OkStatus();
}

void AddGateway(cli::Command& command, cli::Invocation& run) {
  auto flags = std::make_shared<GatewayFlags>();
  command.Option("--config", "FILE", &flags->config, "YAML configuration; required");
  command.Option("--accept-registry", "ID", &flags->accept_registry,
                 "Follow this registry although it is another one, was set back, or lost most "
                 "instances; `pinion gateway accept` says so to a gateway that runs");
  command.Examples(
      "--registry, or registry.replicas of the configuration, may name several replicas.\n"
      "  pinion gateway --config gateway.yaml\n"
      "  pinion gateway --config gateway.yaml --registry 10.0.0.1:8081,10.0.0.2:8081");
  command.Run([flags, &run]() -> absl::Status {
    if (flags->config.empty()) return cli::UsageError("name the configuration with --config");
    return RunGateway(run, *flags);
  });
}

// ---- registry and serve ----

// Null: a signal came while it waited for its store.
absl::StatusOr<std::unique_ptr<RegistryPlane>> StartRegistry(cli::Invocation& run,
                                                             const config::v1::Registry& registry) {
  const auto stop = [&run] { return run.WaitForStop(absl::ZeroDuration()); };
  auto plane = RegistryPlane::Start(registry, stop);
  if (absl::IsCancelled(plane.status()) && stop()) {
    log::Info("pinion", std::string(plane.status().message()));
    return nullptr;
  }
  return plane;
}

// Where to listen, by --registry; empty: it was not given.
absl::StatusOr<std::string> OneAddress(const cli::Invocation& run) {
  const std::vector<std::string>& addresses = run.registry_flag();
  if (addresses.size() > 1) return cli::UsageError("--registry: a registry listens on one address");
  return addresses.empty() ? std::string() : addresses[0];
}

absl::Status RunRegistry(cli::Invocation& run, ServeFlags flags) {
  Announcement announcement(run.out());
  Planes planes;
  TakeSignals(run, planes);
  ASSIGN_OR_RETURN(flags.registry, OneAddress(run));
  ASSIGN_OR_RETURN(const config::v1::Bootstrap bootstrap, ServeBootstrap(flags, false));
  ASSIGN_OR_RETURN(planes.registry, StartRegistry(run, bootstrap.registry()));
  if (planes.registry == nullptr) return absl::OkStatus();
  RegistryPlane* const registry = planes.registry.get();
  RETURN_IF_ERROR(registry->StartAdmin(bootstrap));
  AnnounceAdmin(registry->admin_address(), announcement);
  announcement.Line(absl::StrCat("registry address=", registry->address()));
  announcement.Line("ready");
  WaitUntilStopped(run);
  registry->Stop();
  return absl::OkStatus();
}

// What a newcomer types next, into another terminal.
std::string NextCommand(const std::string& registry_address) {
  const bool is_default = registry_address == cli::kDefaultRegistryAddress;
  return absl::StrCat(
      "next: pinion ",
      is_default ? "" : absl::StrCat("--registry ", cli::ShellWord(registry_address), " "),
      "version publish SERVICE VERSION --descriptor-set FILE");
}

// With credentials or TLS the gateway beside the registry needs a way of its own.
absl::Status CheckOwnGatewayComesIn(const config::v1::Registry& registry) {
  const bool open = !registry.has_access() && !registry.has_tls();
  if (open || registry.address().has_pipe() || !registry.local_socket().empty()) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      "with registry.tls or registry.access, `pinion serve` needs registry.local_socket, a path by "
      "which its gateway comes to its registry");
}

// The gateway follows the registry beside it as it would one elsewhere.
absl::Status RunServe(cli::Invocation& run, ServeFlags flags) {
  Announcement announcement(run.out());
  Planes planes;
  TakeSignals(run, planes);
  ASSIGN_OR_RETURN(flags.registry, OneAddress(run));
  ASSIGN_OR_RETURN(config::v1::Bootstrap bootstrap, ServeBootstrap(flags, true));
  RETURN_IF_ERROR(CheckOwnGatewayComesIn(bootstrap.registry()));
  ASSIGN_OR_RETURN(planes.registry, StartRegistry(run, bootstrap.registry()));
  if (planes.registry == nullptr) return absl::OkStatus();
  RegistryPlane* const registry = planes.registry.get();
  ASSIGN_OR_RETURN(
      planes.gateway,
      GatewayPlane::Start({.bootstrap = std::move(bootstrap),
                           .config_file = flags.config,
                           .registries = {registry->local_address()},
                           .accepted_registry_id = "",
                           .ready = [&announcement] { announcement.Ready(); },
                           .registry_counts = [registry] { return registry->counts(); }}));
  AnnounceGateway(*planes.gateway, announcement);
  announcement.Line(absl::StrCat("registry address=", registry->address()));
  announcement.Line(NextCommand(registry->address()));
  announcement.AddressesSaid();
  WaitUntilStopped(run);
  DrainUntilEmpty(*planes.gateway);
  planes.gateway.reset();
  registry->Stop();
  return absl::OkStatus();
}

void AddRegistry(cli::Command& command, cli::Invocation& run) {
  auto flags = std::make_shared<ServeFlags>();
  command.Option("--config", "FILE", &flags->config, "YAML configuration");
  command.Option("--store", "PATH", &flags->store,
                 "SQLite file; else the configuration's, else pinion-data/registry.db");
  command.Examples(
      "--registry is where it listens.\n"
      "  pinion registry\n"
      "  pinion registry --config registry.yaml");
  command.Run([flags, &run] { return RunRegistry(run, *flags); });
}

void AddServe(cli::Command& command, cli::Invocation& run) {
  auto flags = std::make_shared<ServeFlags>();
  command.Option("--config", "FILE", &flags->config, "YAML configuration");
  command.Option("--store", "PATH", &flags->store,
                 "SQLite file; else the configuration's, else pinion-data/registry.db");
  command.Option("--listen", "ADDRESS", &flags->listen,
                 "Where calls come in; else the configuration's, else 127.0.0.1:8080");
  command.Examples(
      "--registry is where the registry listens. Everything stays on this machine and in the\n"
      "working directory unless a configuration says otherwise.\n"
      "  pinion serve\n"
      "  pinion serve --listen 127.0.0.1:9000 --store /var/lib/pinion/registry.db");
  command.Run([flags, &run] { return RunServe(run, *flags); });
}

}  // namespace

void AddServerCommands(cli::Command& root, cli::Invocation& run) {
  AddServe(root.Sub("serve", "Run a registry and a gateway in one process"), run);
  cli::Command& gateway = root.Sub("gateway", "Run a gateway, or see those that run");
  AddGateway(gateway, run);
  cli::AddGatewayCommands(gateway, run);
  AddAcceptCommand(gateway, run);
  cli::Command& registry = root.Sub("registry", "Run a registry, or migrate its store");
  AddRegistry(registry, run);
  cli::AddRegistryCommands(registry, run);
  AddRestoreCommand(root, run);
}

}  // namespace pinion
