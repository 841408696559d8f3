#include "pinion/server_commands.h"

#include <csignal>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/log.h"
#include "base/status_macros.h"
#include "clients/cli/text.h"
#include "config/address.h"
#include "config/load.h"
#include "pinion/announcement.h"
#include "pinion/gateway_plane.h"

namespace pinion {
namespace {

// Before any thread: signals are the main thread's, and a peer that is gone is an error of write(),
// not the end of the process.
void TakeSignals(cli::Invocation& run) {
  run.WaitForStop(absl::ZeroDuration());
  std::signal(SIGPIPE, SIG_IGN);
}

void WaitUntilStopped(cli::Invocation& run) {
  while (!run.WaitForStop(absl::InfiniteDuration())) {
  }
}

void DrainUntilEmpty(GatewayPlane& gateway) {
  log::Info("pinion", "stopping: calls may end; another signal ends at once");
  if (!gateway.Drain()) log::Warning("pinion", "some calls had to be ended");
}

struct GatewayFlags {
  std::string config;
  std::string accept_registry;
};

// Where route tables come from; empty: the file itself.
absl::StatusOr<std::string> RegistryToFollow(const config::Loaded& loaded,
                                             const std::string& registry_flag) {
  const config::v1::Bootstrap& bootstrap = loaded.bootstrap;
  const bool follows = bootstrap.registry().has_address() || !registry_flag.empty();
  if (follows && bootstrap.has_static_resources()) {
    return absl::InvalidArgumentError(
        absl::StrCat(loaded.filename,
                     ": has static_resources, and a registry to follow: a gateway routes by "
                     "one of them; take the other out"));
  }
  if (!follows && !bootstrap.has_static_resources()) {
    return absl::InvalidArgumentError(
        absl::StrCat(loaded.filename,
                     ": says nothing to route by: add static_resources, or name a registry "
                     "with registry.address or --registry"));
  }
  if (!registry_flag.empty()) return registry_flag;
  return follows ? config::ToString(bootstrap.registry().address()) : std::string();
}

absl::Status RunGateway(cli::Invocation& run, const GatewayFlags& flags) {
  TakeSignals(run);
  ASSIGN_OR_RETURN(config::Loaded loaded, config::LoadFile(flags.config));
  ASSIGN_OR_RETURN(std::string registry, RegistryToFollow(loaded, run.registry_flag()));
  if (loaded.bootstrap.listeners().empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat(loaded.filename, ": has no listeners: a gateway needs one"));
  }
  Announcement announcement(run.out());
  ASSIGN_OR_RETURN(const std::unique_ptr<GatewayPlane> gateway,
                   GatewayPlane::Start({.bootstrap = std::move(loaded.bootstrap),
                                        .registry = std::move(registry),
                                        .accepted_registry_id = flags.accept_registry,
                                        .ready = [&announcement] { announcement.Ready(); }}));
  announcement.Listeners(gateway->listeners());
  announcement.AddressesSaid();
  WaitUntilStopped(run);
  DrainUntilEmpty(*gateway);
  return absl::OkStatus();
}

void AddGateway(cli::Command& command, cli::Invocation& run) {
  auto flags = std::make_shared<GatewayFlags>();
  command.Option("--config", "FILE", &flags->config, "YAML configuration; required");
  command.Option("--accept-registry", "ID", &flags->accept_registry,
                 "Follow this registry although it is another one, was set back, or lost most "
                 "instances");
  command.Examples("  pinion gateway --config gateway.yaml");
  command.Run([flags, &run]() -> absl::Status {
    if (flags->config.empty()) return cli::UsageError("name the configuration with --config");
    return RunGateway(run, *flags);
  });
}

}  // namespace

void AddServerCommands(cli::Command& root, cli::Invocation& run) {
  AddGateway(root.Sub("gateway", "Run a gateway"), run);
}

}  // namespace pinion
