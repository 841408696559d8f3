#include "pinion/restore_command.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/clock.h"
#include "base/status_macros.h"
#include "clients/cli/progress.h"
#include "clients/cli/table.h"
#include "clients/cli/text.h"
#include "pinion/defaults.h"
#include "pinion/registry_plane.h"
#include "registry/service/restore.h"

namespace pinion {
namespace {

struct RestoreFlags {
  std::string file;
  ServeFlags serve;
  bool accept_damaged_audit = false;
};

registry::v1::RestoreResult ResultOf(const service::Restored& restored, const store::Store& store) {
  registry::v1::RestoreResult result;
  result.set_registry_id(restored.registry_id);
  result.mutable_restored_from()->set_registry_id(restored.header.registry_id());
  result.mutable_restored_from()->set_revision(restored.header.revision());
  *result.mutable_restored_from()->mutable_backup_time() = restored.header.time();
  result.set_records(restored.records);
  result.set_instances_leased(restored.leases);
  result.set_store(store.Describe());
  return result;
}

absl::Status Restore(cli::Invocation& run, const RestoreFlags& flags) {
  if (flags.serve.store.empty() && flags.serve.config.empty()) {
    return cli::UsageError(
        "say where the registry is to be: --store PATH, or --config FILE whose "
        "store it is");
  }
  ASSIGN_OR_RETURN(const config::v1::Bootstrap bootstrap, ServeBootstrap(flags.serve, false));
  ASSIGN_OR_RETURN(const auto store, OpenStore(bootstrap.registry().store(), nullptr));
  service::RestoreOptions options{.actor = run.Actor(),
                                  .accept_damaged_audit = flags.accept_damaged_audit};
  std::optional<cli::Progress> progress(std::in_place, run, "records");
  options.progress = [&progress](int64_t done, int64_t total) { progress->At(done, total); };
  const absl::StatusOr<service::Restored> made =
      service::Restore(flags.file, *store, SystemClock(), options);
  progress.reset();
  ASSIGN_OR_RETURN(const service::Restored restored, made);
  const registry::v1::RestoreResult result = ResultOf(restored, *store);
  run.Print(result,
            absl::StrCat(cli::RenderFields({
                             {"registry", result.registry_id()},
                             {"restored from", result.restored_from().registry_id()},
                             {"revision", absl::StrCat(result.restored_from().revision())},
                             {"backup of", cli::TimeText(result.restored_from().backup_time())},
                             {"records", absl::StrCat(result.records())},
                             {"store", result.store()},
                         }),
                         "Gateways keep what they have until each is told to follow it: pinion "
                         "gateway accept ",
                         result.registry_id(), " --admin ADDRESS\n"));
  return absl::OkStatus();
}

}  // namespace

void AddRestoreCommand(cli::Command& root, cli::Invocation& run) {
  cli::Command& restore = root.Sub("restore", "Make a registry of a backup, in an empty store");
  auto flags = std::make_shared<RestoreFlags>();
  restore.Argument("FILE", &flags->file, "What `pinion backup` has written");
  restore.Option("--store", "PATH", &flags->serve.store, "A new SQLite file");
  restore.Option("--config", "FILE", &flags->serve.config, "Into the store of this configuration");
  restore.Flag("--accept-damaged-audit", &flags->accept_damaged_audit,
               "Also if the audit log in the backup is not what was written");
  restore.Examples(
      "It is a new registry, with an id of its own, which gateways refuse until they are told.\n"
      "  pinion restore registry.backup --store /var/lib/pinion/restored.db");
  restore.Run([flags, &run] { return Restore(run, *flags); });
}

}  // namespace pinion
