// Operations that ask what a version needs, and who needs what it ends: whether it can be deployed,
// and the steps of a database, which are activated by hand.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "registry/model/errors.h"
#include "registry/model/keys.h"
#include "registry/model/lifecycle.h"
#include "registry/model/requirements.h"
#include "registry/model/retirement.h"
#include "registry/model/validate.h"
#include "registry/service/lookups.h"
#include "registry/service/operations.h"
#include "registry/service/requirements.h"
#include "registry/service/version_state.h"

namespace pinion::service {
namespace {

// The steps that the activation of `step` would retire, oldest first.
absl::StatusOr<std::vector<std::string>> EndedBy(Draft& draft, const v1::Service& service,
                                                 const v1::Version& step) {
  std::vector<std::string> names;
  if (step.ends().empty()) return names;
  ASSIGN_OR_RETURN(const model::VersionList versions, LoadVersions(draft, service.service()));
  ASSIGN_OR_RETURN(const version::Expression ends, ParseExpression(service.service(), step.ends()));
  for (const auto& one : versions.Matching(ends)) {
    if (one.state != routing::v1::RETIRED) names.push_back(one.name);
  }
  std::reverse(names.begin(), names.end());
  return names;
}

// Ends `name`, which nothing needs any more, and says so in the audit log.
absl::Status RetireStep(Draft& draft, const std::string& service, const std::string& name,
                        const std::string& ended_by, int& writes) {
  ASSIGN_OR_RETURN(const auto there, RequireVersion(draft, service, name));
  v1::VersionRecord record = there.value;
  v1::Version& version = *record.mutable_version();
  writes += 2 + version.requirements_size();
  const std::string sunset = SunsetKeyOf(version.version());
  if (!sunset.empty()) draft.Delete(sunset);
  DeleteRequirementUses(draft, version);
  const routing::v1::Version before = version.version();
  version.mutable_version()->set_state(routing::v1::RETIRED);
  *version.mutable_retire_time() = draft.now();
  draft.Touch(*version.mutable_meta());
  // No pin says it, so there is no expression to resolve again.
  draft.Put(model::VersionKey(service, name), record);
  draft.Audit("version.retire", model::VersionText(before), &before, &version.version(),
              absl::StrCat(ended_by, " ends it"));
  return absl::OkStatus();
}

absl::Status TooManyEnded(const routing::v1::Version& step, size_t count) {
  return model::Refusal(
      absl::StatusCode::kResourceExhausted, "LIMIT_EXCEEDED",
      absl::StrCat(model::VersionText(step), " ends ", count,
                   " steps, more than one change can; retire the oldest of them first: `pinion "
                   "version retire ",
                   step.service(), " STEP`"),
      {{"service", step.service()}, {"version", step.name()}});
}

absl::Status RequireDatabase(const v1::Service& service, const routing::v1::Version& version) {
  if (model::IsDatabase(service)) return absl::OkStatus();
  const std::string name = model::VersionText(version);
  return model::Refusal(
      absl::StatusCode::kFailedPrecondition, "SERVICE_IS_API",
      absl::StrCat(version.service(), " is no database: ", name,
                   " becomes active by its first instance: `pinion instance register ", name,
                   " HOST:PORT`"),
      {{"service", version.service()}, {"version", version.name()}});
}

// Retires what `step` ends; nothing that lives needs it, nor does anything come to need it before
// this is committed.
absl::Status EndSteps(Draft& draft, const v1::Version& step,
                      const std::vector<std::string>& names) {
  const routing::v1::Version& version = step.version();
  if (names.empty()) return absl::OkStatus();
  if (names.size() > model::kMaxEnded) return TooManyEnded(version, names.size());
  ASSIGN_OR_RETURN(const auto needed, NeededBy(draft, version.service(), names, version.name()));
  if (!needed.empty()) {
    return model::RefuseInUse(version, needed, "activated",
                              absl::StrCat("pinion can-deploy ", model::VersionText(version)));
  }
  draft.RequireNothingNew(model::RequirementsOn(version.service()));
  int writes = 0;
  for (const std::string& name : names) {
    RETURN_IF_ERROR(
        RetireStep(draft, version.service(), name, model::VersionText(version), writes));
  }
  return writes <= model::kMaxEndedWrites ? absl::OkStatus() : TooManyEnded(version, names.size());
}

absl::Status AddRequirementChecks(Draft& draft, const v1::Version& version,
                                  v1::CheckDeploymentResponse& response) {
  for (const v1::Requirement& requirement : version.requirements()) {
    ASSIGN_OR_RETURN(const auto required, RequireService(draft, requirement.service()));
    ASSIGN_OR_RETURN(const model::VersionList versions,
                     LoadVersions(draft, required.value.service()));
    ASSIGN_OR_RETURN(const version::Expression expression,
                     ParseExpression(required.value.service(), requirement.expression()));
    *response.add_requirements() =
        model::CheckRequirement(required.value, versions, requirement, expression);
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<v1::VersionStateResponse> ActivateVersion(
    Draft& draft, const v1::ActivateVersionRequest& request) {
  RETURN_IF_ERROR(model::ValidateText("reason", request.reason(), model::kMaxReasonBytes));
  ASSIGN_OR_RETURN(const auto there, RequireVersionAsExpected(draft, request));
  ASSIGN_OR_RETURN(const auto service, RequireService(draft, request.service()));
  const routing::v1::Version before = there.value.version().version();
  RETURN_IF_ERROR(RequireDatabase(service.value, before));
  ASSIGN_OR_RETURN(const routing::v1::Version after, model::Activate(before));
  v1::VersionStateResponse response;
  *response.mutable_version() = there.value.version();
  if (before.state() == after.state()) return response;
  ASSIGN_OR_RETURN(const std::vector<std::string> ended,
                   EndedBy(draft, service.value, there.value.version()));
  RETURN_IF_ERROR(EndSteps(draft, there.value.version(), ended));
  v1::VersionRecord record = there.value;
  RETURN_IF_ERROR(PutActive(draft, record).status());
  draft.Audit("version.activate", model::VersionText(after), &before, &after, request.reason());
  *response.mutable_version() = record.version();
  response.set_changed(true);
  response.mutable_ended()->Assign(ended.begin(), ended.end());
  return response;
}

absl::StatusOr<v1::CheckDeploymentResponse> CheckDeployment(
    Draft& draft, const v1::CheckDeploymentRequest& request) {
  ASSIGN_OR_RETURN(const auto there, RequireVersion(draft, request.service(), request.name()));
  ASSIGN_OR_RETURN(const auto service, RequireService(draft, request.service()));
  const v1::Version& version = there.value.version();
  v1::CheckDeploymentResponse response;
  response.set_state(version.version().state());
  RETURN_IF_ERROR(AddRequirementChecks(draft, version, response));
  if (version.version().state() == routing::v1::PUBLISHED) {
    ASSIGN_OR_RETURN(const std::vector<std::string> ends, EndedBy(draft, service.value, version));
    response.mutable_ends()->Assign(ends.begin(), ends.end());
    ASSIGN_OR_RETURN(const auto needed, NeededBy(draft, request.service(), ends, request.name()));
    response.mutable_needed_by()->Assign(needed.begin(), needed.end());
  }
  const bool satisfied =
      std::all_of(response.requirements().begin(), response.requirements().end(),
                  [](const v1::RequirementCheck& check) { return !check.satisfied_by().empty(); });
  response.set_can_deploy(satisfied && response.needed_by().empty() &&
                          version.version().state() != routing::v1::RETIRED);
  return response;
}

}  // namespace pinion::service
