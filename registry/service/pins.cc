// Changes of pins. Each also writes the pin's own history and the index of who pins which
// expression.
#include "registry/model/pins.h"

#include <algorithm>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "google/protobuf/util/message_differencer.h"
#include "registry/model/errors.h"
#include "registry/model/keys.h"
#include "registry/model/lifecycle.h"
#include "registry/model/validate.h"
#include "registry/service/entitlement.h"
#include "registry/service/lookups.h"
#include "registry/service/operations.h"
#include "registry/service/pin_changes.h"

namespace pinion::service {
namespace {

using google::protobuf::util::MessageDifferencer;

// Expressions that one change forgets, each a range of keys to watch over.
constexpr int kForgottenAtOnce = 64;

// How far back a rollback looks for another expression.
constexpr int32_t kRollbackReach = kMaxPage;

// What is written once it is clear what the pin shall say.
struct PinWrite {
  routing::v1::Pin pin;  // `expression` empty: unset
  v1::PinChange::Kind kind = v1::PinChange::SET;
  std::string reason;
  std::string version;  // that the expression means now
  int64_t returns_to = 0;
  absl::string_view command = "pin.set";
  std::string owner;  // of a new pin; the actor when empty
  int64_t job = 0;    // that makes the change; 0: none
};

// ARGUMENT: the method belongs to the service. NotFound names the methods' services.
absl::Status CheckMethodOf(const routing::v1::Service& service, const std::string& method) {
  if (method.empty()) return absl::OkStatus();
  const std::string grpc_service(model::GrpcServiceOf(method));
  const auto& claimed = service.grpc_services();
  if (std::find(claimed.begin(), claimed.end(), grpc_service) != claimed.end())
    return absl::OkStatus();
  return model::UnknownName("METHOD_UNKNOWN", "gRPC service", grpc_service,
                            {claimed.begin(), claimed.end()},
                            absl::StrCat("a pin of ", service.name(), " can name its methods only"),
                            {{"service", service.name()}, {"method", method}});
}

// As in a file: a method that no version has is a slip. Every gateway would keep it, and has room
// for so many of one service. What a version without a schema has nobody knows.
absl::Status CheckSomeVersionHas(Draft& draft, const routing::v1::Service& service,
                                 const std::string& method) {
  if (method.empty()) return absl::OkStatus();
  ASSIGN_OR_RETURN(const auto records,
                   draft.All<v1::VersionRecord>(model::VersionsOf(service.name())));
  std::set<std::string> known;
  for (const auto& record : records) {
    const routing::v1::Version& version = record.value.version().version();
    if (version.methods().empty()) return absl::OkStatus();
    for (const auto& methods : version.methods()) {
      for (const std::string& name : methods.methods()) {
        known.insert(absl::StrCat("/", methods.grpc_service(), "/", name));
      }
    }
  }
  if (known.contains(method)) return absl::OkStatus();
  return model::UnknownName("METHOD_UNKNOWN", "method", method, {known.begin(), known.end()},
                            absl::StrCat("name one that a version of ", service.name(), " has"),
                            {{"service", service.name()}});
}

// Forgets expressions that no pin uses, once there are too many: some of them, as one transaction
// can see to it that no pin comes to them meanwhile.
absl::Status MakeRoom(Draft& draft, const std::string& service, v1::Resolutions& resolutions) {
  if (resolutions.entries_size() < model::kMaxExpressions) return absl::OkStatus();
  v1::Resolutions kept;
  kept.set_state_changes(resolutions.state_changes());
  int forgotten = 0;
  for (const auto& entry : resolutions.entries()) {
    const std::string uses = model::PinUsesOf(service, entry.expression());
    int64_t pins = 1;
    if (forgotten < kForgottenAtOnce) {
      ASSIGN_OR_RETURN(pins, draft.Count(uses));
    }
    if (pins > 0) {
      *kept.add_entries() = entry;
    } else {
      draft.RequireNothingNew(uses);
      ++forgotten;
    }
  }
  if (kept.entries_size() >= model::kMaxExpressions) {
    return model::Refusal(absl::StatusCode::kResourceExhausted, "LIMIT_EXCEEDED",
                          absl::StrCat("pins of ", service, " use ", kept.entries_size(),
                                       " different expressions already; use one of these"),
                          {{"service", service}});
  }
  resolutions = std::move(kept);
  return absl::OkStatus();
}

absl::Status NothingMatches(const routing::v1::Service& service,
                            const version::Expression& expression,
                            const model::VersionList& versions) {
  const std::vector<std::string> names = versions.Names();
  if (expression.kind() == version::Expression::Kind::kExact) {
    return model::UnknownName(
        "VERSION_NOT_FOUND", "version", expression.canonical(), names,
        absl::StrCat("publish it, or choose a version that ", service.name(), " has"),
        {{"service", service.name()}});
  }
  constexpr size_t kShown = 10;
  const std::vector<std::string> shown(names.begin(),
                                       names.begin() + std::min(names.size(), kShown));
  return model::Refusal(
      absl::StatusCode::kNotFound, "VERSION_NOT_FOUND",
      absl::StrCat("no version of ", service.name(), " matches '", expression.canonical(), "' (",
                   shown.empty() ? "there is none yet" : "it has " + absl::StrJoin(shown, ", "),
                   ")"),
      {{"service", service.name()},
       {"asked", expression.canonical()},
       {"nearest", absl::StrJoin(shown, ",")}});
}

absl::StatusOr<std::string> ResolveChannel(Draft& draft, const routing::v1::Service& service,
                                           const version::Expression& expression,
                                           const std::string& consumer) {
  const std::string name(expression.channel());
  ASSIGN_OR_RETURN(const ExpressionMeaning meaning,
                   MeaningOf(draft, service.name(), expression.canonical()));
  if (meaning.channel.has_value()) return meaning.For(consumer);
  // It comes by itself with the first active version.
  if (name == "stable") return "";
  ASSIGN_OR_RETURN(const auto names, draft.NamesUnder(model::ChannelsOf(service.name())));
  return model::UnknownName("CHANNEL_NOT_FOUND", "channel", name, names, "set it first",
                            {{"service", service.name()}});
}

// Of the version that a pin names. A pin that was on a version past its sunset may stay there, and
// come back. FailedPrecondition: VERSION_RETIRED, VERSION_SUNSET.
absl::Status CheckCanBePinned(const routing::v1::Version& version, bool was_there) {
  const bool retired = version.state() == routing::v1::RETIRED;
  if (!retired && (version.state() != routing::v1::SUNSET || was_there)) return absl::OkStatus();
  const std::string& successor = version.deprecation().successor();
  return model::Refusal(
      absl::StatusCode::kFailedPrecondition, retired ? "VERSION_RETIRED" : "VERSION_SUNSET",
      absl::StrCat(model::VersionText(version),
                   retired ? " is retired; " : " is past its sunset and gets no new pins; ",
                   successor.empty() ? "choose another version"
                                     : absl::StrCat("its successor is ", successor)),
      {{"service", version.service()}, {"version", version.name()}, {"successor", successor}});
}

// The version that the expression of the pin means, interning it if no pin has used it before.
// NotFound: nothing can ever match it, as things are. FailedPrecondition: the version that it names
// has ended; past its sunset is not too late for a pin that `was_there`.
absl::StatusOr<std::string> ResolveForPin(Draft& draft, const routing::v1::Service& service,
                                          const version::Expression& expression,
                                          const std::string& consumer, bool was_there) {
  if (expression.kind() == version::Expression::Kind::kChannel) {
    return ResolveChannel(draft, service, expression, consumer);
  }
  const bool exact = expression.kind() == version::Expression::Kind::kExact;
  if (exact) {
    ASSIGN_OR_RETURN(const auto named, draft.Get<v1::VersionRecord>(model::VersionKey(
                                           service.name(), expression.canonical())));
    if (named.has_value()) {
      RETURN_IF_ERROR(CheckCanBePinned(named->value.version().version(), was_there));
    } else {
      ASSIGN_OR_RETURN(const model::VersionList versions, LoadVersions(draft, service));
      return NothingMatches(service, expression, versions);
    }
  }
  const std::string key = model::ResolutionsKey(service.name());
  ASSIGN_OR_RETURN(const auto stored, draft.Get<v1::Resolutions>(key));
  v1::Resolutions resolutions;
  if (stored.has_value()) resolutions = stored->value;
  std::optional<std::string> known = model::Find(resolutions, expression.canonical());
  if (known.has_value() && !known->empty()) return *std::move(known);
  ASSIGN_OR_RETURN(const model::VersionList versions, LoadVersions(draft, service));
  if (!exact && !versions.CouldMatch(expression)) {
    return NothingMatches(service, expression, versions);
  }
  if (known.has_value()) return *std::move(known);
  std::string version = versions.Resolve(expression);
  RETURN_IF_ERROR(MakeRoom(draft, service.name(), resolutions));
  model::Intern(resolutions, expression.canonical(), version);
  draft.Put(key, resolutions);
  return version;
}

// The sequence of the pin's last history record; 0: it has none. History outlives its pin.
absl::StatusOr<int64_t> LastSequence(Draft& draft, const std::optional<Stored<v1::Pin>>& there,
                                     const routing::v1::Pin& pin) {
  if (there.has_value()) return there->value.sequence();
  ASSIGN_OR_RETURN(
      const auto page,
      draft.List<v1::PinChange>(model::PinChangesOf(pin.consumer(), pin.service(), pin.method()),
                                {.size = 1, .newest_first = true}));
  return page.records.empty() ? 0 : page.records[0].value.sequence();
}

absl::Status PutHistory(Draft& draft, const PinWrite& write, const std::string& old_expression,
                        int64_t sequence) {
  const routing::v1::Pin& pin = write.pin;
  const std::string key =
      model::PinChangeKey(pin.consumer(), pin.service(), pin.method(), sequence);
  ASSIGN_OR_RETURN(const auto taken, draft.Get<v1::PinChange>(key));
  if (taken.has_value()) return absl::DataLossError("a pin's history is ahead of it");
  v1::PinChange change;
  change.set_sequence(sequence);
  change.set_kind(write.kind);
  change.set_old_expression(old_expression);
  change.set_expression(pin.expression());
  change.set_version(write.version);
  change.set_actor(draft.caller().actor);
  change.set_reason(write.reason);
  *change.mutable_time() = draft.now();
  change.set_returns_to(write.returns_to);
  change.set_job(write.job);
  if (pin.has_drain()) *change.mutable_drain() = pin.drain();
  draft.Put(key, change);
  return absl::OkStatus();
}

// A pin that leaves a version can come back for a while, and so long the version cannot be retired.
void PutRollbackWindow(Draft& draft, const routing::v1::Pin& pin, const std::string& old_version,
                       const std::string& new_version) {
  if (old_version == new_version) return;
  const auto key = [&pin](const std::string& version) {
    return model::RollbackWindowKey(pin.service(), version, pin.consumer(), pin.method());
  };
  if (!old_version.empty()) {
    v1::RollbackWindow window;
    window.set_pin(model::PinName(pin));
    *window.mutable_since() = draft.now();
    draft.Put(key(old_version), window);
  }
  if (!new_version.empty()) draft.Delete(key(new_version));
}

// Puts the pin, its history, its index entry and its audit record. What it says already is no
// change.
absl::StatusOr<v1::PinResponse> WritePin(Draft& draft, const std::optional<Stored<v1::Pin>>& there,
                                         const PinWrite& write) {
  const routing::v1::Pin& pin = write.pin;
  const routing::v1::Pin* before = there.has_value() ? &there->value.pin() : nullptr;
  v1::PinResponse response;
  if (before != nullptr) {
    response.set_old_expression(before->expression());
    ASSIGN_OR_RETURN(*response.mutable_old_version(), ResolvedVersion(draft, *before));
    if (MessageDifferencer::Equals(*before, pin)) {
      *response.mutable_pin() = there->value;
      response.mutable_pin()->set_resolved_version(write.version);
      return response;
    }
  }
  ASSIGN_OR_RETURN(const int64_t last, LastSequence(draft, there, pin));
  RETURN_IF_ERROR(PutHistory(draft, write, response.old_expression(), last + 1));
  v1::Pin& record = *response.mutable_pin();
  if (before != nullptr) {
    record = there->value;
    draft.Touch(*record.mutable_meta());
  } else {
    *record.mutable_meta() = draft.NewMeta(write.owner);
  }
  *record.mutable_pin() = pin;
  record.set_sequence(last + 1);
  draft.Put(model::PinKey(pin.consumer(), pin.service(), pin.method()), record);
  if (response.old_expression() != pin.expression()) {
    if (before != nullptr) {
      draft.Delete(
          model::PinUseKey(pin.service(), before->expression(), pin.consumer(), pin.method()));
    }
    draft.PutBytes(model::PinUseKey(pin.service(), pin.expression(), pin.consumer(), pin.method()),
                   "");
  }
  PutRollbackWindow(draft, pin, response.old_version(), write.version);
  draft.Audit(write.command, model::PinName(pin), before, &pin, write.reason);
  record.set_resolved_version(write.version);
  response.set_changed(true);
  return response;
}

// What a change of `pin` is decided by, if nothing about it is unusual; that its expression is none
// may turn out yet.
void ExpectPin(Draft& draft, const routing::v1::Pin& pin) {
  const std::string& expression = pin.expression();
  std::vector<std::string> keys = {model::ConsumerKey(pin.consumer()),
                                   model::ServiceKey(pin.service()),
                                   model::PinKey(pin.consumer(), pin.service(), pin.method()),
                                   model::ResolutionsKey(pin.service())};
  if (absl::StartsWith(expression, "@")) {
    keys.push_back(model::ChannelKey(pin.service(), expression.substr(1)));
  } else if (!expression.empty()) {
    keys.push_back(model::VersionKey(pin.service(), expression));
    keys.push_back(model::EntitlementKey(pin.consumer(), pin.service()));
  }
  draft.Expect(std::move(keys));
}

absl::StatusOr<std::optional<Stored<v1::Pin>>> ReadPin(Draft& draft, const routing::v1::Pin& pin) {
  return draft.Get<v1::Pin>(model::PinKey(pin.consumer(), pin.service(), pin.method()));
}

template <typename Request>
routing::v1::Pin PinOf(const Request& request) {
  routing::v1::Pin pin;
  pin.set_consumer(request.consumer());
  pin.set_service(request.service());
  pin.set_method(request.method());
  return pin;
}

}  // namespace

absl::StatusOr<std::string> MeaningForPin(Draft& draft, const routing::v1::Service& service,
                                          const version::Expression& expression) {
  return ResolveForPin(draft, service, expression, /*consumer=*/"", /*was_there=*/false);
}

absl::StatusOr<v1::PinResponse> SetPinFor(Draft& draft, const v1::SetPinRequest& request,
                                          int64_t job) {
  PinWrite write{.pin = request.pin(), .reason = request.reason(), .job = job};
  RETURN_IF_ERROR(model::ValidatePin(write.pin));
  RETURN_IF_ERROR(model::ValidateText("reason", request.reason(), model::kMaxReasonBytes));
  ExpectPin(draft, write.pin);
  RETURN_IF_ERROR(RequireConsumer(draft, write.pin.consumer()).status());
  ASSIGN_OR_RETURN(const auto service, RequireApi(draft, write.pin.service(), "pins"));
  RETURN_IF_ERROR(CheckMethodOf(service.value.service(), write.pin.method()));
  ASSIGN_OR_RETURN(const version::Expression expression,
                   ParseExpression(service.value.service(), write.pin.expression()));
  write.pin.set_expression(expression.canonical());
  ASSIGN_OR_RETURN(const auto there, ReadPin(draft, write.pin));
  RETURN_IF_ERROR(CheckExpected(request.has_expected_revision(), request.expected_revision(),
                                there.has_value() ? there->revision : 0,
                                absl::StrCat("pin ", model::PinName(write.pin))));
  if (!there.has_value()) {
    RETURN_IF_ERROR(CheckSomeVersionHas(draft, service.value.service(), write.pin.method()));
  }
  const bool stays = there.has_value() && there->value.pin().expression() == write.pin.expression();
  ASSIGN_OR_RETURN(write.version, ResolveForPin(draft, service.value.service(), expression,
                                                write.pin.consumer(), stays));
  if (!stays) {
    RETURN_IF_ERROR(
        CheckMayChoose(draft, {write.pin.consumer(), service.value, expression, write.version}));
  }
  return WritePin(draft, there, write);
}

absl::StatusOr<v1::PinResponse> SetPin(Draft& draft, const v1::SetPinRequest& request) {
  return SetPinFor(draft, request, /*job=*/0);
}

absl::StatusOr<v1::UnsetPinResponse> UnsetPinFor(Draft& draft, const v1::UnsetPinRequest& request,
                                                 int64_t job) {
  PinWrite write{
      .pin = PinOf(request), .kind = v1::PinChange::UNSET, .reason = request.reason(), .job = job};
  RETURN_IF_ERROR(model::ValidatePin(write.pin));
  RETURN_IF_ERROR(model::ValidateText("reason", request.reason(), model::kMaxReasonBytes));
  ExpectPin(draft, write.pin);
  RETURN_IF_ERROR(RequireConsumer(draft, request.consumer()).status());
  RETURN_IF_ERROR(RequireService(draft, request.service()).status());
  ASSIGN_OR_RETURN(const auto there, ReadPin(draft, write.pin));
  RETURN_IF_ERROR(CheckExpected(request.has_expected_revision(), request.expected_revision(),
                                there.has_value() ? there->revision : 0,
                                absl::StrCat("pin ", model::PinName(write.pin))));
  v1::UnsetPinResponse response;
  if (!there.has_value()) return response;
  const routing::v1::Pin& before = there->value.pin();
  response.set_old_expression(before.expression());
  RETURN_IF_ERROR(PutHistory(draft, write, before.expression(), there->value.sequence() + 1));
  draft.Delete(model::PinKey(before.consumer(), before.service(), before.method()));
  draft.Delete(
      model::PinUseKey(before.service(), before.expression(), before.consumer(), before.method()));
  ASSIGN_OR_RETURN(const std::string old_version, ResolvedVersion(draft, before));
  PutRollbackWindow(draft, before, old_version, "");
  draft.Audit("pin.unset", model::PinName(before), &before, nullptr, request.reason());
  return response;
}

absl::StatusOr<v1::UnsetPinResponse> UnsetPin(Draft& draft, const v1::UnsetPinRequest& request) {
  return UnsetPinFor(draft, request, /*job=*/0);
}

absl::StatusOr<v1::PinResponse> RollbackPinFor(Draft& draft, const v1::RollbackPinRequest& request,
                                               int64_t job) {
  PinWrite write{.pin = PinOf(request),
                 .kind = v1::PinChange::ROLLBACK,
                 .reason = request.reason(),
                 .command = "pin.rollback",
                 .job = job};
  RETURN_IF_ERROR(model::ValidatePin(write.pin));
  RETURN_IF_ERROR(model::ValidateText("reason", request.reason(), model::kMaxReasonBytes));
  ExpectPin(draft, write.pin);
  RETURN_IF_ERROR(RequireConsumer(draft, request.consumer()).status());
  ASSIGN_OR_RETURN(const auto service, RequireService(draft, request.service()));
  ASSIGN_OR_RETURN(const auto there, ReadPin(draft, write.pin));
  RETURN_IF_ERROR(CheckExpected(request.has_expected_revision(), request.expected_revision(),
                                there.has_value() ? there->revision : 0,
                                absl::StrCat("pin ", model::PinName(write.pin))));
  ASSIGN_OR_RETURN(const auto history,
                   draft.List<v1::PinChange>(
                       model::PinChangesOf(request.consumer(), request.service(), request.method()),
                       {.size = kRollbackReach, .newest_first = true}));
  std::vector<v1::PinChange> changes;
  for (const auto& change : history.records) changes.push_back(change.value);
  ASSIGN_OR_RETURN(const model::RollbackTarget target,
                   model::FindRollback(changes, request.to_sequence(), model::PinName(write.pin)));
  write.pin.set_expression(target.expression);
  write.returns_to = target.sequence;
  ASSIGN_OR_RETURN(const version::Expression expression,
                   ParseExpression(service.value.service(), target.expression));
  ASSIGN_OR_RETURN(write.version,
                   ResolveForPin(draft, service.value.service(), expression, request.consumer(),
                                 /*was_there=*/true));
  const bool stays = there.has_value() && there->value.pin().expression() == target.expression;
  if (!stays) {
    RETURN_IF_ERROR(
        CheckMayChoose(draft, {request.consumer(), service.value, expression, write.version}));
  }
  return WritePin(draft, there, write);
}

absl::StatusOr<v1::PinResponse> RollbackPin(Draft& draft, const v1::RollbackPinRequest& request) {
  return RollbackPinFor(draft, request, /*job=*/0);
}

absl::StatusOr<v1::PinResponse> ProposePin(Draft& draft, const v1::PinProposal& proposal) {
  PinWrite write{.reason = "first call, pin_on_first_call", .command = "pin.propose"};
  write.pin.set_consumer(proposal.consumer());
  write.pin.set_service(proposal.service());
  RETURN_IF_ERROR(model::ValidatePin(write.pin));
  ExpectPin(draft, write.pin);
  ASSIGN_OR_RETURN(const auto there, ReadPin(draft, write.pin));
  if (there.has_value()) {
    v1::PinResponse response;
    *response.mutable_pin() = there->value;
    return response;
  }
  ASSIGN_OR_RETURN(const auto consumer, RequireConsumer(draft, proposal.consumer()));
  ASSIGN_OR_RETURN(const auto service, RequireService(draft, proposal.service()));
  if (!service.value.service().unpinned().has_pin_on_first_call()) {
    return model::Refusal(absl::StatusCode::kFailedPrecondition, "POLICY_CHANGED",
                          absl::StrCat("the policy of ", proposal.service(),
                                       " for callers without a pin is not pin_on_first_call"),
                          {{"service", proposal.service()}});
  }
  ASSIGN_OR_RETURN(const auto version,
                   RequireVersion(draft, proposal.service(), proposal.version()));
  const routing::v1::VersionState state = version.value.version().version().state();
  if (state != routing::v1::ACTIVE && state != routing::v1::DEPRECATED) {
    return model::Refusal(absl::StatusCode::kFailedPrecondition, "VERSION_NOT_ALLOWED",
                          absl::StrCat(proposal.service(), " ", proposal.version(),
                                       " is neither active nor deprecated"),
                          {{"service", proposal.service()}, {"version", proposal.version()}});
  }
  ASSIGN_OR_RETURN(const version::Expression expression,
                   ParseExpression(service.value.service(), proposal.version()));
  write.pin.set_expression(expression.canonical());
  // Its own pins are a consumer's; whoever answers for it answers for them.
  write.owner = consumer.value.meta().owner();
  // No entitlement is asked: the channel that has led the call there is its owners' choice.
  ASSIGN_OR_RETURN(write.version,
                   ResolveForPin(draft, service.value.service(), expression, proposal.consumer(),
                                 /*was_there=*/false));
  return WritePin(draft, there, write);
}

}  // namespace pinion::service
