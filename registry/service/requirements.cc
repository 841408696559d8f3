#include "registry/service/requirements.h"

#include <algorithm>
#include <set>

#include "absl/strings/str_cat.h"
#include "registry/model/keys.h"
#include "registry/model/lifecycle.h"
#include "registry/model/requirement_cycles.h"
#include "registry/model/requirements.h"
#include "registry/service/lookups.h"

namespace pinion::service {
namespace {

namespace v1 = registry::v1;

// As many as anybody reads at once.
constexpr size_t kMaxBlockers = 1000;
// Services whose versions a publication watches over, each as a range of keys, beside what it
// compares for its requirements and its claims; beyond them, all.
constexpr size_t kMaxWatchedServices = 16;

// What a search for cycles sees of a service.
absl::StatusOr<std::vector<model::RequiringVersion>> LoadRequiring(Draft& draft,
                                                                   const std::string& service) {
  // Not remembered: the scheme never changes, and there may be more services than compares.
  const std::string key = model::ServiceKey(service);
  ASSIGN_OR_RETURN(const auto range, draft.Range({.range = store::KeyRange::Single(key)}));
  if (range.kvs.empty()) return model::Damaged(key);
  ASSIGN_OR_RETURN(const auto found, Decode<v1::Service>(range.kvs[0]));
  ASSIGN_OR_RETURN(const auto records, draft.All<v1::VersionRecord>(model::VersionsOf(service)));
  std::vector<model::RequiringVersion> versions;
  for (const auto& record : records) {
    const v1::Version& version = record.value.version();
    if (model::HasEnded(version.version().state())) continue;
    auto name =
        version::VersionName::Parse(found.value.service().scheme(), version.version().name());
    if (!name.ok()) return model::Damaged(model::VersionKey(service, version.version().name()));
    versions.push_back({service,
                        *std::move(name),
                        {version.requirements().begin(), version.requirements().end()}});
  }
  return versions;
}

absl::Status RefuseEnded(const v1::Service& required, const model::VersionList& versions,
                         const v1::Requirement& requirement, const version::Expression& expression,
                         const routing::v1::Version& version) {
  const v1::RequirementCheck check =
      model::CheckRequirement(required, versions, requirement, expression);
  return model::Refusal(
      absl::StatusCode::kFailedPrecondition, "REQUIREMENT_ENDED",
      absl::StrCat(model::VersionText(version), " cannot become active: it requires ",
                   model::RequirementText(requirement), ", and ", check.message(),
                   check.command().empty() ? "" : absl::StrCat(": `", check.command(), "`")),
      {{"service", version.service()},
       {"version", version.name()},
       {"requirement", model::RequirementText(requirement)}});
}

}  // namespace

absl::StatusOr<std::vector<v1::Requirement>> CanonicalRequirements(
    Draft& draft, const v1::PublishVersionRequest& request) {
  std::vector<v1::Requirement> requirements;
  for (v1::Requirement requirement : request.requirements()) {
    ASSIGN_OR_RETURN(const auto service, RequireService(draft, requirement.service()));
    ASSIGN_OR_RETURN(const version::Expression expression,
                     model::ParseRequirement(service.value.service(), requirement));
    requirement.set_expression(expression.canonical());
    requirements.push_back(std::move(requirement));
  }
  return requirements;
}

absl::Status CheckAcyclic(Draft& draft, routing::v1::Scheme scheme, const v1::Version& version) {
  ASSIGN_OR_RETURN(version::VersionName name,
                   version::VersionName::Parse(scheme, version.version().name()));
  const model::RequiringVersion asked{
      version.version().service(),
      std::move(name),
      {version.requirements().begin(), version.requirements().end()}};
  std::set<std::string> services;
  RETURN_IF_ERROR(model::CheckAcyclic(asked, [&draft, &services](const std::string& service) {
    services.insert(model::VersionsOf(service));
    return LoadRequiring(draft, service);
  }));
  // Two that need each other could come at once, and neither see the other.
  if (services.size() > kMaxWatchedServices) services = {model::kVersions};
  for (const std::string& prefix : services) draft.RequireNothingNew(prefix);
  return absl::OkStatus();
}

absl::Status PutRequirementUses(Draft& draft, const v1::Version& version) {
  const routing::v1::Version& routing = version.version();
  for (const v1::Requirement& requirement : version.requirements()) {
    ASSIGN_OR_RETURN(const auto required, RequireService(draft, requirement.service()));
    // Whatever changes the state of a version there writes it.
    RETURN_IF_ERROR(
        draft.Get<v1::Resolutions>(model::ResolutionsKey(requirement.service())).status());
    ASSIGN_OR_RETURN(const model::VersionList versions,
                     LoadVersions(draft, required.value.service()));
    ASSIGN_OR_RETURN(const version::Expression expression,
                     model::ParseRequirement(required.value.service(), requirement));
    if (model::RequirementEnded(versions, expression)) {
      return RefuseEnded(required.value, versions, requirement, expression, routing);
    }
    v1::RequirementUse use;
    use.set_service(routing.service());
    use.set_version(routing.name());
    use.set_expression(requirement.expression());
    draft.Put(model::RequirementKey(requirement.service(), routing.service(), routing.name()), use);
  }
  return absl::OkStatus();
}

void DeleteRequirementUses(Draft& draft, const v1::Version& version) {
  for (const v1::Requirement& requirement : version.requirements()) {
    draft.Delete(model::RequirementKey(requirement.service(), version.version().service(),
                                       version.version().name()));
  }
}

absl::StatusOr<std::vector<v1::RetirementBlocker>> NeededBy(Draft& draft,
                                                            const std::string& service,
                                                            const std::vector<std::string>& gone,
                                                            const std::string& activated) {
  std::vector<v1::RetirementBlocker> blockers;
  const std::string prefix = model::RequirementsOn(service);
  ASSIGN_OR_RETURN(const auto uses, draft.All<v1::RequirementUse>(prefix));
  if (uses.empty()) return blockers;
  ASSIGN_OR_RETURN(const auto required, RequireService(draft, service));
  ASSIGN_OR_RETURN(model::VersionList after, LoadVersions(draft, required.value.service()));
  for (const std::string& name : gone) after.SetState(name, routing::v1::RETIRED);
  if (!activated.empty()) after.SetState(activated, routing::v1::ACTIVE);
  for (const auto& one : uses) {
    const v1::RequirementUse& use = one.value;
    // What ends itself needs nothing any more.
    const bool ends = use.service() == service &&
                      std::find(gone.begin(), gone.end(), use.version()) != gone.end();
    if (ends || blockers.size() == kMaxBlockers) continue;
    const auto expression =
        version::Expression::Parse(required.value.service().scheme(), use.expression());
    if (!expression.ok()) {
      return model::Damaged(model::RequirementKey(service, use.service(), use.version()));
    }
    if (model::Loses(*expression, gone, after)) {
      blockers.push_back(model::RequirementBlocker(service, use));
    }
  }
  return blockers;
}

}  // namespace pinion::service
