// pinion backup, pinion registry migrate
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "clients/cli/commands.h"
#include "clients/cli/progress.h"
#include "clients/cli/table.h"
#include "clients/cli/text.h"
#include "registry/archive/backup_file.h"

namespace pinion::cli {
namespace {

absl::Status Backup(Invocation& run, const std::string& path) {
  ASSIGN_OR_RETURN(const auto file, archive::PartFileWriter::Create(path, archive::kBackupKind));
  archive::BackupCheck check;
  RETURN_IF_ERROR([&] {
    Progress progress(run, "records");
    return run.registry().ReadBackup({}, [&](const v1::BackupPart& part) -> absl::Status {
      RETURN_IF_ERROR(check.Add(part));
      progress.At(check.pairs(), check.header().pairs_estimate());
      return file->Append(part);
    });
  }());
  RETURN_IF_ERROR(check.CheckWhole());
  RETURN_IF_ERROR(file->Finish());
  v1::BackupResult result;
  result.set_file(path);
  *result.mutable_header() = check.header();
  result.set_records(check.pairs());
  result.set_bytes(file->bytes());
  run.Print(result, RenderFields({
                        {"backup", path},
                        {"registry", check.header().registry_id()},
                        {"revision", absl::StrCat(check.header().revision())},
                        {"records", absl::StrCat(check.pairs())},
                        {"bytes", absl::StrCat(file->bytes())},
                    }));
  return absl::OkStatus();
}

struct MigrateFlags {
  std::optional<int64_t> to;
  bool contract = false;
  std::string reason;
};

absl::Status Migrate(Invocation& run, const MigrateFlags& flags) {
  v1::MigrateStoreRequest request;
  if (flags.to.has_value()) {
    request.set_to(static_cast<int32_t>(*flags.to));
  } else {
    ASSIGN_OR_RETURN(const v1::GetStatusResponse status, run.registry().GetStatus({}));
    request.set_to(status.newest_store_format());
  }
  request.set_contract(flags.contract);
  request.set_reason(flags.reason);
  ASSIGN_OR_RETURN(const v1::MigrateStoreResponse response, run.registry().MigrateStore(request));
  const v1::StoreFormat& format = response.format();
  run.Print(response, absl::StrCat(response.changed() ? "the store has format "
                                                      : "nothing to do: the store has format ",
                                   format.format(), "; programs of format ", format.readable_by(),
                                   " and above can work with it\n"));
  return absl::OkStatus();
}

}  // namespace

void AddBackupCommand(Command& root, Invocation& run) {
  Command& backup = root.Sub("backup", "Write all that the registry holds into a file");
  auto path = std::make_shared<std::string>();
  backup.Argument("FILE", path.get(), "A new file; `pinion restore` makes a registry of it");
  backup.Examples(
      "Changes go on meanwhile; the file is the registry at one revision.\n"
      "  pinion backup registry-$(date +%F).backup");
  backup.Run([path, &run] { return Backup(run, *path); });
}

void AddRegistryCommands(Command& registry, Invocation& run) {
  Command& migrate = registry.Sub("migrate", "Bring the registry's store to a newer format");
  auto flags = std::make_shared<MigrateFlags>();
  migrate.Option("--to", "FORMAT", &flags->to, "Else the newest that the registry knows");
  migrate.Flag("--contract", &flags->contract,
               "No registry of an older format can work with the store any more");
  migrate.Option("--reason", "TEXT", &flags->reason, "For the audit log");
  migrate.Examples(
      "Once every registry on the store is of this version: docs/internals/migrations.md.\n"
      "  pinion registry migrate");
  migrate.Run([flags, &run] { return Migrate(run, *flags); });
}

}  // namespace pinion::cli
