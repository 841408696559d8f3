// pinion version deprecate | reactivate
#include <memory>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "clients/cli/commands.h"
#include "clients/cli/text.h"
#include "clients/cli/words.h"

namespace pinion::cli {
namespace {

struct DeprecateFlags {
  v1::DeprecateVersionRequest request;
  std::string sunset;
  std::optional<std::string> successor;
  std::optional<std::string> link;
};

// What takes the place of a version in the commands that a person is shown.
std::string SuccessorOr(const routing::v1::Version& version, absl::string_view placeholder) {
  const std::string& successor = version.deprecation().successor();
  return successor.empty() ? std::string(placeholder) : successor;
}

std::string DeprecatedText(const v1::VersionStateResponse& made) {
  const routing::v1::Version& version = made.version().version();
  const routing::v1::Deprecation& deprecation = version.deprecation();
  const std::string name = absl::StrCat(version.service(), " ", version.name());
  const bool past = version.state() == routing::v1::SUNSET;
  std::string text = absl::StrCat(name, past ? " is past its sunset" : " is deprecated",
                                  made.changed() ? "" : ", as it was");
  if (deprecation.has_sunset_time()) {
    absl::StrAppend(&text, "; sunset: ", TimeText(deprecation.sunset_time()));
  }
  if (!deprecation.successor().empty()) {
    absl::StrAppend(&text, "; successor: ", deprecation.successor());
  }
  absl::StrAppend(&text, "\n");
  if (deprecation.has_sunset_time()) {
    for (const std::string& channel : made.channels()) {
      absl::StrAppend(&text,
                      past ? "calls by this channel are refused now: "
                           : "move this channel before the sunset, or calls by it are refused: ",
                      "pinion channel set ", version.service(), " ", channel, " ",
                      SuccessorOr(version, "VERSION"), "\n");
    }
    for (const std::string& channel : made.ramped_channels()) {
      absl::StrAppend(&text,
                      past ? "calls that this ramp leads here are refused now: "
                           : "take this ramp back before the sunset, or its calls are refused: ",
                      "pinion channel ramp ", version.service(), " ", channel, " --stop\n");
    }
  }
  absl::StrAppend(&text, "undo: pinion version reactivate ", name, "\n");
  return text;
}

absl::Status Deprecate(Invocation& run, DeprecateFlags& flags) {
  v1::DeprecateVersionRequest& request = flags.request;
  if (!flags.sunset.empty()) {
    ASSIGN_OR_RETURN(*request.mutable_sunset_time(), ParseTime("--sunset", flags.sunset));
  }
  if (flags.successor) request.set_successor(*flags.successor);
  if (flags.link) request.set_link(*flags.link);
  ASSIGN_OR_RETURN(const v1::VersionStateResponse made, run.registry().DeprecateVersion(request));
  run.Print(made, DeprecatedText(made));
  return absl::OkStatus();
}

void AddDeprecate(Command& deprecate, Invocation& run) {
  auto flags = std::make_shared<DeprecateFlags>();
  DeclareVersion(deprecate, flags->request);
  deprecate.Option("--sunset", "DATE", &flags->sunset,
                   "When it ends for all but pins on its name: 2027-03-01 (at midnight UTC), or "
                   "2027-03-01T09:00:00Z");
  deprecate.Option("--successor", "VERSION", &flags->successor,
                   "What to use instead, for refusals; '' takes it back");
  deprecate.Option("--link", "URL", &flags->link,
                   "Where people read about it, for response metadata; '' takes it back");
  DeclareExpectedRevision(deprecate, flags->request, "the version");
  DeclareReason(deprecate, flags->request);
  deprecate.Examples(
      "Nobody is moved: answers say `deprecation`, `sunset` and `link` from now on. Of a version\n"
      "that is deprecated already only what is given changes.\n"
      "  pinion version deprecate addressbook 1.0.0 --sunset 2027-03-01 --successor 2.0.0");
  deprecate.Run([flags, &run] { return Deprecate(run, *flags); });
}

void AddReactivate(Command& reactivate, Invocation& run) {
  auto request = std::make_shared<v1::ReactivateVersionRequest>();
  DeclareVersion(reactivate, *request);
  DeclareExpectedRevision(reactivate, *request, "the version");
  DeclareReason(reactivate, *request);
  reactivate.Examples("  pinion version reactivate addressbook 1.0.0");
  reactivate.Run([request, &run]() -> absl::Status {
    ASSIGN_OR_RETURN(const v1::VersionStateResponse made,
                     run.registry().ReactivateVersion(*request));
    const routing::v1::Version& version = made.version().version();
    run.Print(made, absl::StrCat(version.service(), " ", version.name(), " is active",
                                 made.changed() ? " again" : ", as it was", "\n",
                                 MovedText(made.moved())));
    return absl::OkStatus();
  });
}

}  // namespace

void AddLifecycleCommands(Command& version, Invocation& run) {
  AddDeprecate(version.Sub("deprecate", "Say that a version will end, when, and what comes next"),
               run);
  AddReactivate(version.Sub("reactivate", "Take a deprecation back, also after the sunset"), run);
}

}  // namespace pinion::cli
