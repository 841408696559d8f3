// Operations on the life of a version: deprecation, its sunset, and the way back.
#include "registry/model/lifecycle.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/log.h"
#include "registry/model/errors.h"
#include "registry/model/keys.h"
#include "registry/model/validate.h"
#include "registry/service/first_error.h"
#include "registry/service/lookups.h"
#include "registry/service/operations.h"
#include "registry/service/version_state.h"

namespace pinion::service {
namespace {

// Sunsets carried out in one round; the others come in the next, a second later.
constexpr size_t kMaxSunsetsAtOnce = 64;

// A sunset whose time has come.
struct DueSunset {
  std::string key;
  model::VersionRef version;
};

absl::Status CheckSuccessor(Draft& draft, const routing::v1::Version& version,
                            const std::string& successor) {
  // Remembered, so that it is still what it was when this is committed.
  RETURN_IF_ERROR(RequireVersion(draft, version.service(), successor).status());
  ASSIGN_OR_RETURN(const auto records,
                   draft.All<v1::VersionRecord>(model::VersionsOf(version.service())));
  std::vector<routing::v1::Version> all;
  for (const auto& record : records) all.push_back(record.value.version().version());
  return model::CheckSuccessor(version, successor, all);
}

absl::StatusOr<v1::VersionStateResponse> Sunset(Draft& draft, const DueSunset& due) {
  ASSIGN_OR_RETURN(const auto there, draft.Get<v1::VersionRecord>(model::VersionKey(
                                         due.version.service, due.version.version)));
  // Somebody has taken it back, or put it off, since it was found due.
  if (!there.has_value() || SunsetKeyOf(there->value.version().version()) != due.key) {
    return v1::VersionStateResponse();
  }
  routing::v1::Version after = there->value.version().version();
  after.set_state(routing::v1::SUNSET);
  return ChangeVersion(draft, there->value, {after, "version.sunset", "its sunset has come"});
}

void WarnOfChannels(const model::VersionRef& ended, const v1::VersionStateResponse& response) {
  const auto warn = [&ended](const auto& channels, absl::string_view what) {
    if (channels.empty()) return;
    log::Warning("registry",
                 absl::StrCat(ended.service, " ", ended.version, " is past its sunset, and ", what,
                              ": ", absl::StrJoin(channels, ", ")));
  };
  warn(response.channels(), "calls by these channels are refused until an owner moves them");
  warn(response.ramped_channels(),
       "calls of the consumers whom these channels' ramps lead to it are refused until an owner "
       "takes the ramps back");
}

// The sunset under `key`. False: it is none any more.
absl::StatusOr<bool> CarryOut(Registry& registry, const std::string& key) {
  const std::optional<model::VersionRef> version = model::ParseSunset(key);
  if (!version.has_value()) return model::Damaged(key);
  ASSIGN_OR_RETURN(const v1::VersionStateResponse response,
                   Run(registry, Sunset, Caller{.actor = "registry"}, DueSunset{key, *version}));
  if (response.changed()) WarnOfChannels(*version, response);
  return response.changed();
}

}  // namespace

absl::StatusOr<v1::VersionStateResponse> DeprecateVersion(
    Draft& draft, const v1::DeprecateVersionRequest& request) {
  RETURN_IF_ERROR(model::ValidateDeprecate(request));
  ASSIGN_OR_RETURN(const auto there, RequireVersionAsExpected(draft, request));
  const routing::v1::Version& before = there.value.version().version();
  ASSIGN_OR_RETURN(const routing::v1::Version after,
                   model::Deprecate(before, request, draft.now()));
  if (!request.successor().empty()) {
    RETURN_IF_ERROR(CheckSuccessor(draft, before, request.successor()));
  }
  return ChangeVersion(draft, there.value, {after, "version.deprecate", request.reason()});
}

absl::StatusOr<v1::VersionStateResponse> ReactivateVersion(
    Draft& draft, const v1::ReactivateVersionRequest& request) {
  RETURN_IF_ERROR(model::ValidateText("reason", request.reason(), model::kMaxReasonBytes));
  ASSIGN_OR_RETURN(const auto there, RequireVersionAsExpected(draft, request));
  ASSIGN_OR_RETURN(const routing::v1::Version after,
                   model::Reactivate(there.value.version().version()));
  return ChangeVersion(draft, there.value, {after, "version.reactivate", request.reason()});
}

absl::StatusOr<int> SunsetDueVersions(Registry& registry) {
  const int64_t now = absl::ToUnixSeconds(registry.clock().Wall());
  ASSIGN_OR_RETURN(
      const store::RangeResult due,
      registry.store().Range({.range = {model::kSunsets, model::SunsetKey(now + 1, "", "")},
                              .limit = kMaxSunsetsAtOnce,
                              .keys_only = true}));
  FirstError error;
  int done = 0;
  for (const store::KeyValue& kv : due.kvs) {
    const absl::StatusOr<bool> sunset = CarryOut(registry, kv.key);
    if (!error.GoOnAfter(sunset.status())) break;
    done += sunset.value_or(false) ? 1 : 0;
  }
  RETURN_IF_ERROR(error.status());
  return done;
}

}  // namespace pinion::service
