#include "registry/service/version_state.h"

#include "google/protobuf/util/message_differencer.h"
#include "registry/model/keys.h"
#include "registry/model/lifecycle.h"
#include "registry/model/resolutions.h"
#include "registry/service/lookups.h"
#include "registry/service/requirements.h"

namespace pinion::service {
namespace {

absl::Status AddChannelsTo(Draft& draft, const routing::v1::Version& version,
                           registry::v1::VersionStateResponse& response) {
  ASSIGN_OR_RETURN(const auto channels,
                   draft.All<registry::v1::Channel>(model::ChannelsOf(version.service())));
  for (const auto& each : channels) {
    const routing::v1::Channel& channel = each.value.channel();
    if (channel.version() == version.name()) response.add_channels(channel.name());
    if (channel.ramp().version() == version.name()) response.add_ramped_channels(channel.name());
  }
  return absl::OkStatus();
}

// Its methods never change, and would fill the log.
routing::v1::Version Audited(routing::v1::Version version) {
  version.clear_methods();
  return version;
}

}  // namespace

std::string SunsetKeyOf(const routing::v1::Version& version) {
  const routing::v1::Deprecation& deprecation = version.deprecation();
  if (version.state() != routing::v1::DEPRECATED || !deprecation.has_sunset_time()) return "";
  return model::SunsetKey(deprecation.sunset_time().seconds(), version.service(), version.name());
}

absl::StatusOr<registry::v1::VersionStateResponse> ChangeVersion(Draft& draft,
                                                                 registry::v1::VersionRecord record,
                                                                 const VersionChange& change) {
  const routing::v1::Version before = record.version().version();
  const routing::v1::Version& after = change.after;
  registry::v1::VersionStateResponse response;
  RETURN_IF_ERROR(AddChannelsTo(draft, before, response));
  response.set_changed(!google::protobuf::util::MessageDifferencer::Equals(before, after));
  if (!response.changed()) {
    *response.mutable_version() = record.version();
    return response;
  }
  const std::string old_sunset = SunsetKeyOf(before);
  const std::string new_sunset = SunsetKeyOf(after);
  if (old_sunset != new_sunset) {
    if (!old_sunset.empty()) draft.Delete(old_sunset);
    if (!new_sunset.empty()) draft.PutBytes(new_sunset, "");
  }
  *record.mutable_version()->mutable_version() = after;
  draft.Touch(*record.mutable_version()->mutable_meta());
  if (before.state() == after.state()) {
    draft.Put(model::VersionKey(after.service(), after.name()), record);
  } else {
    ASSIGN_OR_RETURN(const auto moved, PutChangedState(draft, record));
    response.mutable_moved()->Assign(moved.begin(), moved.end());
  }
  const routing::v1::Version audited_before = Audited(before);
  const routing::v1::Version audited_after = Audited(after);
  registry::v1::AuditRecord& audit = draft.Audit(change.command, model::VersionText(after),
                                                 &audited_before, &audited_after, change.reason);
  *audit.mutable_moved() = response.moved();
  audit.set_overridden(change.overridden);
  *response.mutable_version() = record.version();
  return response;
}

absl::StatusOr<std::vector<registry::v1::MovedExpression>> PutActive(
    Draft& draft, registry::v1::VersionRecord& record) {
  registry::v1::Version& version = *record.mutable_version();
  version.mutable_version()->set_state(routing::v1::ACTIVE);
  *version.mutable_activate_time() = draft.now();
  draft.Touch(*version.mutable_meta());
  RETURN_IF_ERROR(PutRequirementUses(draft, version));
  return PutChangedState(draft, record);
}

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
  const auto moved = model::ResolveAgain(resolutions, service.value.service().scheme(), versions,
                                         version.name(), draft.now());
  if (!moved.ok()) return model::Damaged(resolutions_key);
  draft.Put(resolutions_key, resolutions);
  return CountMoved(draft, version.service(), *moved);
}

}  // namespace pinion::service
