#include "registry/service/version_state.h"

#include "registry/model/keys.h"
#include "registry/model/resolutions.h"
#include "registry/service/lookups.h"

namespace pinion::service {

absl::StatusOr<std::vector<registry::v1::MovedExpression>> PutChangedState(
    Draft& draft, const registry::v1::VersionRecord& record) {
  const routing::v1::Version& version = record.version().version();
  ASSIGN_OR_RETURN(const auto service, RequireService(draft, version.service()));
  const std::string resolutions_key = model::ResolutionsKey(version.service());
  ASSIGN_OR_RETURN(const auto stored, draft.Get<registry::v1::Resolutions>(resolutions_key));
  ASSIGN_OR_RETURN(model::VersionList versions, LoadVersions(draft, service.value.service()));
  versions.SetState(version.name(), version.state());
  draft.Put(model::VersionKey(version.service(), version.name()), record);

  registry::v1::Resolutions resolutions;
  if (stored.has_value()) resolutions = stored->value;
  const auto moved =
      model::ResolveAgain(resolutions, service.value.service().scheme(), versions, version.name());
  if (!moved.ok()) return model::Damaged(resolutions_key);
  draft.Put(resolutions_key, resolutions);
  return CountMoved(draft, version.service(), *moved);
}

}  // namespace pinion::service
