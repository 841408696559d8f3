// pinion version activate, pinion can-deploy
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/status_macros.h"
#include "clients/cli/commands.h"
#include "clients/cli/plan_text.h"
#include "clients/cli/text.h"
#include "clients/cli/words.h"

namespace pinion::cli {
namespace {

absl::Status Activate(Invocation& run, const v1::ActivateVersionRequest& request) {
  ASSIGN_OR_RETURN(const v1::VersionStateResponse made, run.registry().ActivateVersion(request));
  std::string text = absl::StrCat(request.service(), " ", request.name(), " is active",
                                  made.changed() ? " now" : ", as it was", "\n");
  for (const std::string& step : made.ended()) {
    absl::StrAppend(&text, "ended: ", request.service(), " ", step, " is retired\n");
  }
  run.Print(made, text);
  return absl::OkStatus();
}

// "  db/people >=2: satisfied by 2\n" for each requirement, and what keeps that which it ends.
std::string ReasonsText(const v1::CheckDeploymentResponse& found) {
  std::string text;
  for (const v1::RequirementCheck& check : found.requirements()) {
    absl::StrAppend(
        &text, "  ", check.requirement().service(), " ", check.requirement().expression(), ": ",
        check.satisfied_by().empty() ? check.message() : "satisfied by " + check.satisfied_by(),
        check.command().empty() ? "" : ": " + check.command(), "\n");
  }
  if (!found.ends().empty()) {
    absl::StrAppend(
        &text, "  it ends ", absl::StrJoin(found.ends(), ", "),
        found.needed_by().empty() ? ", which nothing that lives needs\n" : ", which these need:\n");
  }
  absl::StrAppend(&text, BlockersText(found.needed_by()));
  return text;
}

absl::Status CanDeploy(Invocation& run, const v1::CheckDeploymentRequest& request) {
  run.set_answers();
  ASSIGN_OR_RETURN(const v1::CheckDeploymentResponse found,
                   run.registry().CheckDeployment(request));
  const bool retired = found.state() == routing::v1::RETIRED;
  const std::string reasons = retired ? "" : ReasonsText(found);
  const char* answer = retired              ? " is retired: nothing comes to it any more"
                       : found.can_deploy() ? " can be deployed"
                                            : " cannot be deployed yet";
  run.Print(found, absl::StrCat(request.service(), " ", request.name(), answer,
                                reasons.empty() ? "" : ":", "\n", reasons));
  if (!found.can_deploy()) run.set_exit_status(kExitFailed);
  return absl::OkStatus();
}

}  // namespace

void AddActivate(Command& activate, Invocation& run) {
  auto request = std::make_shared<v1::ActivateVersionRequest>();
  activate.Argument("SERVICE", request->mutable_service(), "Name of the database");
  activate.Argument("VERSION", request->mutable_name(), "Name of the step");
  DeclareExpectedRevision(activate, *request, "the step");
  DeclareReason(activate, *request);
  activate.Examples(
      "A step that adds: migrate, then activate. One that ends others: activate, then migrate, so\n"
      "that nothing can come to need what it takes away.\n"
      "  pinion version activate db/people 2");
  activate.Run([request, &run] { return Activate(run, *request); });
}

void AddCanDeploy(Command& can_deploy, Invocation& run) {
  auto request = std::make_shared<v1::CheckDeploymentRequest>();
  DeclareVersion(can_deploy, *request);
  can_deploy.Examples(
      "Exit status: 0 yes, 1 no, 2 it could not tell.\n"
      "  pinion can-deploy addressbook 2.0.0\n"
      "  pinion can-deploy db/people 3");
  can_deploy.Run([request, &run] { return CanDeploy(run, *request); });
}

}  // namespace pinion::cli
