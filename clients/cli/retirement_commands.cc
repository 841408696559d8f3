// pinion version retire
#include <memory>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "clients/cli/commands.h"
#include "clients/cli/text.h"

namespace pinion::cli {
namespace {

struct RetireFlags {
  v1::RetireVersionRequest request;
  bool dry_run = false;
  bool force = false;
  std::optional<int64_t> expected_revision;
};

// "  billing addressbook is pinned to it: pinion pin set billing addressbook 2.0.0\n" for each.
std::string BlockersText(const v1::ListRetirementBlockersResponse& found) {
  std::string text;
  for (const v1::RetirementBlocker& blocker : found.blockers()) {
    const bool about_version = blocker.kind() == v1::RetirementBlocker::STATE ||
                               blocker.kind() == v1::RetirementBlocker::SUNSET_AHEAD;
    absl::StrAppend(&text, "  ", about_version ? "" : blocker.subject() + " ", blocker.message());
    if (!blocker.command().empty()) absl::StrAppend(&text, ": ", blocker.command());
    if (blocker.has_until()) absl::StrAppend(&text, ": wait until ", TimeText(blocker.until()));
    absl::StrAppend(&text, "\n");
  }
  return text;
}

absl::StatusOr<v1::ListRetirementBlockersResponse> Blockers(Invocation& run,
                                                            const RetireFlags& flags) {
  v1::ListRetirementBlockersRequest request;
  request.set_service(flags.request.service());
  request.set_name(flags.request.name());
  return run.registry().ListRetirementBlockers(request);
}

// The refusal with everything that stands against it, which its own details have no room for.
absl::Status WithBlockers(Invocation& run, const RetireFlags& flags, const absl::Status& refusal) {
  ASSIGN_OR_RETURN(const v1::ListRetirementBlockersResponse found, Blockers(run, flags));
  std::string text = absl::StrCat(flags.request.service(), " ", flags.request.name(),
                                  " cannot be retired yet:\n", BlockersText(found));
  text.pop_back();
  return WithMessage(refusal, text);
}

absl::Status DryRun(Invocation& run, const RetireFlags& flags) {
  ASSIGN_OR_RETURN(const v1::ListRetirementBlockersResponse found, Blockers(run, flags));
  const std::string name = absl::StrCat(flags.request.service(), " ", flags.request.name());
  const bool retired = found.state() == routing::v1::RETIRED;
  run.Print(found, found.blockers().empty()
                       ? absl::StrCat(name, retired ? " is retired" : " can be retired", "\n")
                       : absl::StrCat(name, " cannot be retired yet:\n", BlockersText(found)));
  return absl::OkStatus();
}

absl::Status Retire(Invocation& run, RetireFlags& flags) {
  if (flags.dry_run) return DryRun(run, flags);
  v1::RetireVersionRequest& request = flags.request;
  request.set_force(flags.force);
  if (flags.expected_revision) request.set_expected_revision(*flags.expected_revision);
  const absl::StatusOr<v1::VersionStateResponse> made = run.registry().RetireVersion(request);
  if (ReasonOf(made.status()) == "VERSION_IN_USE") return WithBlockers(run, flags, made.status());
  RETURN_IF_ERROR(made.status());
  const routing::v1::Version& version = made->version().version();
  run.Print(*made, absl::StrCat(version.service(), " ", version.name(),
                                made->changed() ? " is retired: its record and its schema stay\n"
                                                : " is retired, as it was\n",
                                MovedText(made->moved())));
  return absl::OkStatus();
}

}  // namespace

void AddRetirementCommands(Command& version, Invocation& run) {
  Command& retire = version.Sub("retire", "End a version for good, once nothing uses it");
  auto flags = std::make_shared<RetireFlags>();
  retire.Argument("SERVICE", flags->request.mutable_service(), "Name of the service");
  retire.Argument("VERSION", flags->request.mutable_name(), "Name of the version");
  retire.Flag("--dry-run", &flags->dry_run, "Only say what stands against it");
  retire.Flag("--force", &flags->force, "Whatever uses it: its calls are refused from then on");
  retire.Option("--reason", "TEXT", flags->request.mutable_reason(),
                "For the audit log; required with --force");
  retire.Option("--expected-revision", "REVISION", &flags->expected_revision,
                "Refuse if the version was changed since");
  retire.Examples(
      "Refused while pins, channels or instances are on it, or left it less than 72 hours ago;\n"
      "each is shown with the command that moves it.\n"
      "  pinion version retire addressbook 1.0.0 --dry-run");
  retire.Run([flags, &run] { return Retire(run, *flags); });
}

}  // namespace pinion::cli
