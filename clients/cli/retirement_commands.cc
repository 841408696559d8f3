// pinion version retire | delete | gc, pinion can-retire
#include <memory>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "clients/cli/commands.h"
#include "clients/cli/pages.h"
#include "clients/cli/plan_text.h"
#include "clients/cli/text.h"
#include "clients/cli/words.h"

namespace pinion::cli {
namespace {

// What nobody has started for so long is not waited for any more.
constexpr absl::Duration kCollectedAge = absl::Hours(30 * 24);

struct RetireFlags {
  v1::RetireVersionRequest request;
  bool dry_run = false;
  bool force = false;
};

absl::StatusOr<v1::ListRetirementBlockersResponse> Blockers(Invocation& run,
                                                            const v1::RetireVersionRequest& what) {
  v1::ListRetirementBlockersRequest request;
  request.set_service(what.service());
  request.set_name(what.name());
  return run.registry().ListRetirementBlockers(request);
}

// The refusal with everything that stands against it, which its own details have no room for.
absl::Status WithBlockers(Invocation& run, const v1::RetireVersionRequest& request,
                          const absl::Status& refusal) {
  ASSIGN_OR_RETURN(const v1::ListRetirementBlockersResponse found, Blockers(run, request));
  std::string text = absl::StrCat(request.service(), " ", request.name(),
                                  " cannot be retired yet:\n", BlockersText(found.blockers()));
  text.pop_back();
  return WithMessage(refusal, text);
}

// Says what stands against it: whether nothing does.
absl::StatusOr<bool> DryRun(Invocation& run, const v1::RetireVersionRequest& request) {
  ASSIGN_OR_RETURN(const v1::ListRetirementBlockersResponse found, Blockers(run, request));
  const std::string name = absl::StrCat(request.service(), " ", request.name());
  const bool retired = found.state() == routing::v1::RETIRED;
  run.Print(found,
            found.blockers().empty()
                ? absl::StrCat(name, retired ? " is retired" : " can be retired", "\n")
                : absl::StrCat(name, " cannot be retired yet:\n", BlockersText(found.blockers())));
  return found.blockers().empty();
}

absl::Status Retire(Invocation& run, RetireFlags& flags) {
  if (flags.dry_run) return DryRun(run, flags.request).status();
  v1::RetireVersionRequest& request = flags.request;
  request.set_force(flags.force);
  const absl::StatusOr<v1::VersionStateResponse> made = run.registry().RetireVersion(request);
  if (ReasonOf(made.status()) == "VERSION_IN_USE") {
    return WithBlockers(run, request, made.status());
  }
  RETURN_IF_ERROR(made.status());
  const routing::v1::Version& version = made->version().version();
  run.Print(*made, absl::StrCat(version.service(), " ", version.name(),
                                made->changed() ? " is retired: its record and its schema stay\n"
                                                : " is retired, as it was\n",
                                MovedText(made->moved())));
  return absl::OkStatus();
}

absl::Status Delete(Invocation& run, const v1::DeleteVersionRequest& request) {
  ASSIGN_OR_RETURN(const v1::DeleteVersionResponse made, run.registry().DeleteVersion(request));
  std::string text = absl::StrCat("deleted ", request.service(), " ", request.name(), "\n");
  for (const std::string& name : made.released_grpc_services()) {
    absl::StrAppend(&text, "no version of ", request.service(), " has ", name, " any more\n");
  }
  run.Print(made, text);
  return absl::OkStatus();
}

struct CollectFlags {
  v1::ListVersionsRequest request;
  std::optional<absl::Duration> older_than;
  bool dry_run = false;
  std::string reason;
};

// Versions in use are told and passed over: what is to be collected is what nobody misses.
absl::Status Collect(Invocation& run, const CollectFlags& flags) {
  ASSIGN_OR_RETURN(const v1::ListVersionsResponse found,
                   AllPages(run.registry(), &RegistryClient::ListVersions, flags.request));
  // By the clock that the versions were published by.
  ASSIGN_OR_RETURN(const v1::GetStatusResponse status, run.registry().GetStatus({}));
  const absl::Time before =
      absl::FromUnixSeconds(status.time().seconds()) - flags.older_than.value_or(kCollectedAge);
  v1::ListVersionsResponse collected;
  std::string text;
  for (const v1::Version& version : found.versions()) {
    const absl::Time published = absl::FromUnixSeconds(version.meta().create_time().seconds());
    if (version.version().state() != routing::v1::PUBLISHED || published >= before) continue;
    v1::DeleteVersionRequest request;
    request.set_service(version.version().service());
    request.set_name(version.version().name());
    request.set_expected_revision(version.meta().revision());
    request.set_reason(flags.reason);
    const std::string name = absl::StrCat(request.service(), " ", request.name());
    if (!flags.dry_run) {
      const absl::Status deleted = run.registry().DeleteVersion(request).status();
      if (absl::IsFailedPrecondition(deleted)) {
        absl::StrAppend(&text, "kept: ", deleted.message(), "\n");
        continue;
      }
      RETURN_IF_ERROR(deleted);
    }
    absl::StrAppend(&text, flags.dry_run ? "never active: " : "deleted ", name, ", published ",
                    TimeText(version.meta().create_time()), " by ", version.meta().created_by(),
                    "\n");
    *collected.add_versions() = version;
  }
  run.Print(collected, text.empty() ? "nothing to collect\n" : text);
  return absl::OkStatus();
}

void AddDeletion(Command& version, Invocation& run) {
  Command& remove = version.Sub("delete", "Take away a version that was never active");
  auto request = std::make_shared<v1::DeleteVersionRequest>();
  DeclareVersion(remove, *request);
  DeclareExpectedRevision(remove, *request, "the version");
  DeclareReason(remove, *request);
  remove.Examples("  pinion version delete addressbook 1.1.0 --reason 'published by mistake'");
  remove.Run([request, &run] { return Delete(run, *request); });

  Command& collect = version.Sub("gc", "Delete the versions that were published and never active");
  auto flags = std::make_shared<CollectFlags>();
  collect.OptionalArgument("SERVICE", flags->request.mutable_service(), "Only of this service");
  collect.Option("--older-than", "DURATION", &flags->older_than,
                 "Published longer ago than this; 720h (thirty days) unless given");
  collect.Flag("--dry-run", &flags->dry_run, "Only say which");
  collect.Option("--reason", "TEXT", &flags->reason, "For the audit log");
  collect.Examples("  pinion version gc --older-than 2160h --dry-run");
  collect.Run([flags, &run] { return Collect(run, *flags); });
}

}  // namespace

void AddCanRetire(Command& can_retire, Invocation& run) {
  auto request = std::make_shared<v1::RetireVersionRequest>();
  DeclareVersion(can_retire, *request);
  can_retire.Examples(
      "Exit status: 0 yes, 1 no, 2 it could not tell. What `version retire --dry-run` prints.\n"
      "  pinion can-retire db/people 2");
  can_retire.Run([request, &run]() -> absl::Status {
    run.set_answers();
    ASSIGN_OR_RETURN(const bool can, DryRun(run, *request));
    if (!can) run.set_exit_status(kExitFailed);
    return absl::OkStatus();
  });
}

void AddRetirementCommands(Command& version, Invocation& run) {
  Command& retire = version.Sub("retire", "End a version for good, once nothing uses it");
  auto flags = std::make_shared<RetireFlags>();
  DeclareVersion(retire, flags->request);
  retire.Flag("--dry-run", &flags->dry_run, "Only say what stands against it");
  retire.Flag("--force", &flags->force, "Whatever uses it: its calls are refused from then on");
  DeclareReason(retire, flags->request, "For the audit log; required with --force");
  DeclareExpectedRevision(retire, flags->request, "the version");
  retire.Examples(
      "Refused while pins, channels or instances are on it, or left it within the registry's\n"
      "rollback window, 72 hours unless configured otherwise; each is shown with the command that\n"
      "moves it.\n"
      "  pinion version retire addressbook 1.0.0 --dry-run");
  retire.Run([flags, &run] { return Retire(run, *flags); });
  AddDeletion(version, run);
}

}  // namespace pinion::cli
