// Operations on channels and their ramps.
#include "registry/model/channels.h"

#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "google/protobuf/util/message_differencer.h"
#include "registry/model/errors.h"
#include "registry/model/keys.h"
#include "registry/model/lifecycle.h"
#include "registry/model/validate.h"
#include "registry/service/lookups.h"
#include "registry/service/operations.h"
#include "registry/version/names.h"
#include "registry/version/ramp.h"

namespace pinion::service {
namespace {

using google::protobuf::util::MessageDifferencer;

// Among more pins on a channel than these nobody counts those that a ramp moves.
constexpr size_t kMaxCountedPins = 10'000;

// A change of a channel, once it is clear what the channel shall say.
struct ChannelWrite {
  routing::v1::Channel after;
  absl::string_view command;
  std::string reason;
};

std::string NameOf(const routing::v1::Channel& channel) {
  return absl::StrCat(channel.service(), " @", channel.name());
}

// A channel leads calls, so it may only lead where calls can be answered. NotFound: there is no
// such version.
absl::Status CheckCanLeadTo(Draft& draft, const std::string& service, const std::string& name) {
  ASSIGN_OR_RETURN(const auto record, RequireVersion(draft, service, name));
  const routing::v1::Version& version = record.value.version().version();
  if (model::CanBeChosen(version.state())) return absl::OkStatus();
  const bool waits = version.state() == routing::v1::PUBLISHED;
  return model::Refusal(
      absl::StatusCode::kFailedPrecondition, "VERSION_NOT_ACTIVE",
      absl::StrCat("version ", version.name(), " of ", version.service(), " is ",
                   routing::v1::VersionState_Name(version.state()), "; ",
                   waits ? "register an instance of it first" : "choose an active version"),
      {{"service", version.service()}, {"version", version.name()}});
}

// The pins on the channel that mean another version by `after` than by `before`, counted.
absl::StatusOr<std::vector<v1::MovedExpression>> CountMovedPins(Draft& draft,
                                                                const routing::v1::Channel& before,
                                                                const routing::v1::Channel& after) {
  const std::string expression = absl::StrCat("@", after.name());
  if (!before.has_ramp() && !after.has_ramp()) {
    return CountMoved(draft, after.service(), {{expression, before.version(), after.version()}});
  }
  const std::string prefix = model::PinUsesOf(after.service(), expression);
  ASSIGN_OR_RETURN(
      const store::RangeResult uses,
      draft.Range(
          {.range = store::KeyRange::Prefix(prefix), .limit = kMaxCountedPins, .keys_only = true}));
  std::vector<v1::MovedExpression> moved;
  if (uses.more) return moved;
  std::map<std::pair<std::string, std::string>, int64_t> counts;
  for (const store::KeyValue& kv : uses.kvs) {
    const std::optional<model::PinUse> use = model::ParsePinUse(kv.key);
    if (!use.has_value()) return model::Damaged(kv.key);
    const std::string& from = version::VersionFor(before, use->consumer);
    const std::string& to = version::VersionFor(after, use->consumer);
    if (from != to) ++counts[{from, to}];
  }
  for (const auto& [versions, count] : counts) {
    v1::MovedExpression& one = moved.emplace_back();
    one.set_expression(expression);
    one.set_old_version(versions.first);
    one.set_new_version(versions.second);
    one.set_consumers(count);
  }
  return moved;
}

// Puts the channel and its audit record.
absl::StatusOr<v1::RampChannelResponse> WriteChannel(
    Draft& draft, const std::optional<Stored<v1::Channel>>& there, const ChannelWrite& write) {
  v1::RampChannelResponse response;
  response.set_changed(true);
  v1::Channel& channel = *response.mutable_channel();
  routing::v1::Channel before;
  if (there.has_value()) {
    channel = there->value;
    before = channel.channel();
    draft.Touch(*channel.mutable_meta());
    if (before.version() != write.after.version()) channel.set_previous_version(before.version());
  } else {
    *channel.mutable_meta() = draft.NewMeta("");
  }
  *channel.mutable_channel() = write.after;
  if (there.has_value()) {
    model::NoteLeft(before, draft.registry().options().rollback_window, draft.now(), channel);
  }
  draft.Put(model::ChannelKey(write.after.service(), write.after.name()), channel);
  ASSIGN_OR_RETURN(const auto moved, CountMovedPins(draft, before, write.after));
  response.mutable_moved()->Assign(moved.begin(), moved.end());
  *draft
       .Audit(write.command, NameOf(write.after), there.has_value() ? &before : nullptr,
              &write.after, write.reason)
       .mutable_moved() = response.moved();
  if (before.has_ramp()) *response.mutable_old_ramp() = before.ramp();
  return response;
}

absl::StatusOr<Stored<v1::Channel>> RequireChannel(Draft& draft, const std::string& service,
                                                   const std::string& name) {
  RETURN_IF_ERROR(RequireApi(draft, service, "channels").status());
  const absl::Status name_status = version::ValidateChannelName(name);
  if (!name_status.ok()) return model::WithReason(name_status, "NAME_MALFORMED");
  ASSIGN_OR_RETURN(auto channel, draft.Get<v1::Channel>(model::ChannelKey(service, name)));
  if (channel.has_value()) return *std::move(channel);
  ASSIGN_OR_RETURN(const auto names, draft.NamesUnder(model::ChannelsOf(service)));
  return model::UnknownName("CHANNEL_NOT_FOUND", "channel", name, names, "set it first",
                            {{"service", service}});
}

}  // namespace

absl::StatusOr<v1::Channel> SetChannel(Draft& draft, const v1::SetChannelRequest& request) {
  const routing::v1::Channel& asked = request.channel();
  const absl::Status name_status = version::ValidateChannelName(asked.name());
  if (!name_status.ok()) return model::WithReason(name_status, "NAME_MALFORMED");
  RETURN_IF_ERROR(model::ValidateText("reason", request.reason(), model::kMaxReasonBytes));
  if (asked.has_ramp()) {
    return model::Refusal(absl::StatusCode::kInvalidArgument, "ARGUMENT_INVALID",
                          "SetChannel leads everybody to one version: a ramp is RampChannel's, "
                          "`pinion channel ramp`");
  }
  RETURN_IF_ERROR(RequireApi(draft, asked.service(), "channels").status());
  RETURN_IF_ERROR(CheckCanLeadTo(draft, asked.service(), asked.version()));
  ASSIGN_OR_RETURN(const auto there,
                   draft.Get<v1::Channel>(model::ChannelKey(asked.service(), asked.name())));
  RETURN_IF_ERROR(CheckExpected(request.has_expected_revision(), request.expected_revision(),
                                there.has_value() ? there->revision : 0,
                                absl::StrCat("channel ", NameOf(asked))));
  if (there.has_value() && MessageDifferencer::Equals(there->value.channel(), asked)) {
    return there->value;
  }
  ASSIGN_OR_RETURN(
      v1::RampChannelResponse response,
      WriteChannel(draft, there,
                   {.after = asked, .command = "channel.set", .reason = request.reason()}));
  return std::move(*response.mutable_channel());
}

absl::StatusOr<v1::RampChannelResponse> RampChannel(Draft& draft,
                                                    const v1::RampChannelRequest& request) {
  RETURN_IF_ERROR(model::ValidateText("reason", request.reason(), model::kMaxReasonBytes));
  ASSIGN_OR_RETURN(const auto there, RequireChannel(draft, request.service(), request.name()));
  const routing::v1::Channel& before = there.value.channel();
  RETURN_IF_ERROR(CheckExpected(request.has_expected_revision(), request.expected_revision(),
                                there.revision, absl::StrCat("channel ", NameOf(before))));
  ChannelWrite write{.after = before, .command = "channel.ramp", .reason = request.reason()};
  write.after.clear_ramp();
  if (request.has_ramp()) {
    routing::v1::Channel::Ramp& ramp = *write.after.mutable_ramp();
    ramp = request.ramp();
    if (ramp.version().empty()) ramp.set_version(before.ramp().version());
    RETURN_IF_ERROR(model::ValidateRamp(write.after));
    for (const std::string& version : {before.version(), ramp.version()}) {
      RETURN_IF_ERROR(CheckCanLeadTo(draft, before.service(), version));
    }
  }
  if (!MessageDifferencer::Equals(before, write.after)) return WriteChannel(draft, there, write);
  v1::RampChannelResponse response;
  *response.mutable_channel() = there.value;
  if (before.has_ramp()) *response.mutable_old_ramp() = before.ramp();
  return response;
}

absl::StatusOr<v1::Channel> GetChannel(Draft& draft, const v1::GetChannelRequest& request) {
  ASSIGN_OR_RETURN(auto channel, RequireChannel(draft, request.service(), request.name()));
  return std::move(channel.value);
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
