#include "pinion/defaults.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/counted.h"
#include "base/status_macros.h"
#include "clients/cli/text.h"
#include "config/load.h"

namespace pinion {
namespace {

// Written as what one would put into a file, so that a file can start from here.
constexpr char kDefaults[] = R"(
admin:
  address: {socket_address: {address: 127.0.0.1, port_value: 8082}}
listeners:
- name: ingress
  address: {socket_address: {address: 127.0.0.1, port_value: 8080}}
  consumer_identity: {trusted_header: {name: api-consumer}}
registry:
  address: {socket_address: {address: 127.0.0.1, port_value: 8081}}
)";

// Below the working directory, and made by whoever opens it; a file's own paths must exist.
constexpr char kDefaultStore[] = "pinion-data/registry.db";

config::v1::Bootstrap Defaults() {
  absl::StatusOr<config::Loaded> loaded = config::LoadText(kDefaults, "defaults");
  CHECK(loaded.ok());
  return std::move(loaded)->bootstrap;
}

// "/run/x.sock" is meant as "unix:/run/x.sock".
absl::StatusOr<routing::v1::Address> ListenAddress(const std::string& text) {
  return cli::ReadAddress(text.front() == '/' ? absl::StrCat("unix:", text) : text,
                          AddressUse::kListen);
}

void Complete(bool gateway, config::v1::Bootstrap& bootstrap) {
  config::v1::Bootstrap defaults = Defaults();
  if (gateway && bootstrap.listeners().empty()) {
    *bootstrap.mutable_listeners() = std::move(*defaults.mutable_listeners());
  }
  config::v1::Registry& registry = *bootstrap.mutable_registry();
  if (!registry.has_address()) *registry.mutable_address() = defaults.registry().address();
  if (!registry.has_store()) registry.mutable_store()->mutable_sqlite()->set_path(kDefaultStore);
  if (registry.instance_checks().upstream_tls().empty() &&
      !bootstrap.gateway().upstream_tls().empty()) {
    *registry.mutable_instance_checks()->mutable_upstream_tls() =
        bootstrap.gateway().upstream_tls();
  }
}

}  // namespace

absl::StatusOr<config::v1::Bootstrap> ServeBootstrap(const ServeFlags& flags, bool gateway) {
  config::v1::Bootstrap bootstrap = Defaults();
  // A gateway beside a registry has the same default, and is asked by its operators more often.
  if (!gateway) bootstrap.clear_admin();
  if (!flags.config.empty()) {
    ASSIGN_OR_RETURN(config::Loaded loaded, config::LoadFile(flags.config));
    bootstrap = std::move(loaded.bootstrap);
    if (bootstrap.has_static_resources()) {
      return absl::InvalidArgumentError(
          absl::StrCat(flags.config,
                       ": has static_resources, which a registry's gateway does not read: put "
                       "them into the registry, or run `pinion gateway --config ",
                       flags.config, "` without a registry"));
    }
  }
  Complete(gateway, bootstrap);
  if (!flags.listen.empty()) {
    if (bootstrap.listeners_size() != 1) {
      return absl::InvalidArgumentError(
          absl::StrCat("--listen moves the only listener, and ", flags.config, " has ",
                       Counted(bootstrap.listeners_size(), "listener"), ": change it there"));
    }
    ASSIGN_OR_RETURN(*bootstrap.mutable_listeners(0)->mutable_address(),
                     ListenAddress(flags.listen));
  }
  config::v1::Registry& registry = *bootstrap.mutable_registry();
  if (!flags.registry.empty()) {
    ASSIGN_OR_RETURN(*registry.mutable_address(), ListenAddress(flags.registry));
  }
  if (!flags.store.empty()) {
    registry.mutable_store()->mutable_sqlite()->set_path(flags.store);
  }
  return bootstrap;
}

}  // namespace pinion
