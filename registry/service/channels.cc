// Operations on channels.
#include "absl/strings/str_cat.h"
#include "registry/model/errors.h"
#include "registry/model/keys.h"
#include "registry/model/lifecycle.h"
#include "registry/model/validate.h"
#include "registry/service/lookups.h"
#include "registry/service/operations.h"
#include "registry/version/names.h"

namespace pinion::service {
namespace {

// A channel leads calls, so it may only lead where calls can be answered.
absl::Status CheckCanLeadTo(const v1::VersionRecord& record) {
  const routing::v1::Version& version = record.version().version();
  if (model::CanBeChosen(version.state())) return absl::OkStatus();
  const bool waits = version.state() == routing::v1::PUBLISHED;
  return model::Refusal(
      absl::StatusCode::kFailedPrecondition, "VERSION_NOT_ACTIVE",
      absl::StrCat("version ", version.name(), " of ", version.service(), " is ",
                   routing::v1::VersionState_Name(version.state()), "; ",
                   waits ? "register an instance of it first" : "choose an active version"),
      {{"service", version.service()}, {"version", version.name()}});
}

}  // namespace

absl::StatusOr<v1::Channel> SetChannel(Draft& draft, const v1::SetChannelRequest& request) {
  const routing::v1::Channel& asked = request.channel();
  const absl::Status name_status = version::ValidateChannelName(asked.name());
  if (!name_status.ok()) return model::WithReason(name_status, "NAME_MALFORMED");
  RETURN_IF_ERROR(model::ValidateText("reason", request.reason(), model::kMaxReasonBytes));
  RETURN_IF_ERROR(RequireApi(draft, asked.service(), "channels").status());
  ASSIGN_OR_RETURN(const auto version, RequireVersion(draft, asked.service(), asked.version()));
  RETURN_IF_ERROR(CheckCanLeadTo(version.value));
  const std::string key = model::ChannelKey(asked.service(), asked.name());
  const std::string object = absl::StrCat(asked.service(), " @", asked.name());
  ASSIGN_OR_RETURN(const auto there, draft.Get<v1::Channel>(key));
  RETURN_IF_ERROR(CheckExpected(request.has_expected_revision(), request.expected_revision(),
                                there.has_value() ? there->revision : 0,
                                absl::StrCat("channel ", object)));
  if (there.has_value() && there->value.channel().version() == asked.version()) return there->value;

  v1::Channel channel;
  if (there.has_value()) {
    channel = there->value;
    draft.Touch(*channel.mutable_meta());
    channel.set_previous_version(there->value.channel().version());
  } else {
    *channel.mutable_meta() = draft.NewMeta("");
  }
  *channel.mutable_channel() = asked;
  draft.Put(key, channel);
  v1::AuditRecord& audit =
      draft.Audit("channel.set", object, there.has_value() ? &there->value.channel() : nullptr,
                  &channel.channel(), request.reason());
  ASSIGN_OR_RETURN(
      const auto moved,
      CountMoved(draft, asked.service(),
                 {{absl::StrCat("@", asked.name()), channel.previous_version(), asked.version()}}));
  audit.mutable_moved()->Assign(moved.begin(), moved.end());
  return channel;
}

absl::StatusOr<v1::ListChannelsResponse> ListChannels(Draft& draft,
                                                      const v1::ListChannelsRequest& request) {
  std::string prefix = model::kChannels;
  if (!request.service().empty()) {
    RETURN_IF_ERROR(RequireService(draft, request.service()).status());
    prefix = model::ChannelsOf(request.service());
  }
  ASSIGN_OR_RETURN(Page<v1::Channel> page,
                   draft.List<v1::Channel>(prefix, {request.page_size(), request.page_token()}));
  v1::ListChannelsResponse response;
  for (auto& channel : page.records) *response.add_channels() = std::move(channel.value);
  response.set_next_page_token(page.next_token);
  return response;
}

}  // namespace pinion::service
