// Operations on entitlements, and what they stand against.
#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "registry/model/errors.h"
#include "registry/model/keys.h"
#include "registry/model/validate.h"
#include "registry/service/entitlement.h"
#include "registry/service/lookups.h"
#include "registry/service/operations.h"

namespace pinion::service {
namespace {

// As many as a gateway names in a refusal.
constexpr size_t kShownVersions = 10;

std::string NameOf(const routing::v1::Entitlement& entitlement) {
  return absl::StrCat(entitlement.consumer(), " ", entitlement.service());
}

template <typename Request>
absl::Status CheckNames(const Request& request) {
  routing::v1::Entitlement named;
  named.set_consumer(request.consumer());
  named.set_service(request.service());
  return model::ValidateEntitlement(named);
}

absl::StatusOr<version::Expression> ParseEntitlement(const routing::v1::Service& service,
                                                     const std::string& text) {
  ASSIGN_OR_RETURN(version::Expression expression, ParseExpression(service, text));
  if (expression.kind() != version::Expression::Kind::kChannel) return expression;
  return model::Refusal(absl::StatusCode::kInvalidArgument, "PIN_MALFORMED",
                        absl::StrCat("an entitlement is an exact name or a range, such as '^1 || "
                                     "^2', and not the channel ",
                                     text, ": where channels lead is allowed to everybody"),
                        {{"service", service.name()}, {"asked", text}});
}

// Each consumer's own is remembered by its key; this sees to their number.
absl::Status CheckRoom(Draft& draft, const std::string& service) {
  const std::string prefix = model::EntitledOf(service);
  ASSIGN_OR_RETURN(const int64_t count, draft.Count(prefix));
  draft.RequireNothingNew(prefix);
  if (count < model::kMaxEntitlements) return absl::OkStatus();
  return model::Refusal(
      absl::StatusCode::kResourceExhausted, "LIMIT_EXCEEDED",
      absl::StrCat(service, " has ", count,
                   " entitlements, the most that every gateway keeps; "
                   "unset those that are not needed: `pinion entitlement list --service ",
                   service, "`"),
      {{"service", service}});
}

// The pins that mean a version which the entitlement does not allow.
absl::Status AddPinsOutside(Draft& draft, const routing::v1::Service& service,
                            const version::Expression& allowed,
                            v1::SetEntitlementResponse& response) {
  const std::string& consumer = response.entitlement().entitlement().consumer();
  ASSIGN_OR_RETURN(auto pins, draft.All<v1::Pin>(model::PinsOf(consumer, service.name())));
  for (auto& pin : pins) {
    if (absl::StartsWith(pin.value.pin().expression(), "@")) continue;
    ASSIGN_OR_RETURN(const std::string meant, ResolvedVersion(draft, pin.value.pin()));
    if (meant.empty()) continue;
    const auto name = version::VersionName::Parse(service.scheme(), meant);
    if (!name.ok()) return model::Damaged(model::ResolutionsKey(service.name()));
    if (allowed.Matches(*name)) continue;
    pin.value.set_resolved_version(meant);
    *response.add_pins_outside() = std::move(pin.value);
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckMayChoose(Draft& draft, const PinChoice& choice) {
  const routing::v1::Service& service = choice.service.service();
  if (choice.expression.kind() == version::Expression::Kind::kChannel) return absl::OkStatus();
  const std::string key = model::EntitlementKey(choice.consumer, service.name());
  ASSIGN_OR_RETURN(const auto entitlement, draft.Get<v1::Entitlement>(key));
  if (!entitlement.has_value()) return absl::OkStatus();
  const std::string& text = entitlement->value.entitlement().expression();
  const auto allowed = version::Expression::Parse(service.scheme(), text);
  if (!allowed.ok()) return model::Damaged(key);
  ASSIGN_OR_RETURN(const model::VersionList versions, LoadVersions(draft, service));
  const bool may = choice.version.empty() ? versions.CouldMatchWithin(choice.expression, *allowed)
                                          : versions.Matches(*allowed, choice.version);
  if (may) return absl::OkStatus();
  std::vector<std::string> available = versions.NamesWithin(*allowed);
  available.resize(std::min(available.size(), kShownVersions));
  const std::string& asked = choice.expression.canonical();
  const std::string meaning = choice.version.empty() || choice.version == asked
                                  ? ""
                                  : absl::StrCat(", which means ", choice.version, " now");
  return model::Refusal(
      absl::StatusCode::kPermissionDenied, "VERSION_NOT_ALLOWED",
      absl::StrCat(choice.consumer, " may not be pinned to ", service.name(), " ", asked, meaning,
                   ": its entitlement is '", text, "', which allows ",
                   available.empty() ? "no version that there is" : absl::StrJoin(available, ", "),
                   "; ", choice.service.meta().owner(), ", who owns ", service.name(),
                   ", can allow more: `pinion entitlement set ", choice.consumer, " ",
                   service.name(), " EXPRESSION`"),
      {{"consumer", choice.consumer},
       {"service", service.name()},
       {"asked", asked},
       {"version", choice.version},
       {"entitlement", text},
       {"owner", choice.service.meta().owner()},
       {"available", absl::StrJoin(available, ", ")}});
}

absl::StatusOr<v1::SetEntitlementResponse> SetEntitlement(
    Draft& draft, const v1::SetEntitlementRequest& request) {
  routing::v1::Entitlement asked = request.entitlement();
  RETURN_IF_ERROR(model::ValidateEntitlement(asked));
  RETURN_IF_ERROR(model::ValidateText("reason", request.reason(), model::kMaxReasonBytes));
  RETURN_IF_ERROR(RequireConsumer(draft, asked.consumer()).status());
  ASSIGN_OR_RETURN(const auto service, RequireApi(draft, asked.service(), "entitlements"));
  ASSIGN_OR_RETURN(const version::Expression expression,
                   ParseEntitlement(service.value.service(), asked.expression()));
  asked.set_expression(expression.canonical());
  const std::string key = model::EntitlementKey(asked.consumer(), asked.service());
  ASSIGN_OR_RETURN(const auto there, draft.Get<v1::Entitlement>(key));
  RETURN_IF_ERROR(CheckExpected(request.has_expected_revision(), request.expected_revision(),
                                there.has_value() ? there->revision : 0,
                                absl::StrCat("entitlement ", NameOf(asked))));
  v1::SetEntitlementResponse response;
  v1::Entitlement& record = *response.mutable_entitlement();
  if (there.has_value()) {
    record = there->value;
    response.set_old_expression(record.entitlement().expression());
  }
  response.set_changed(response.old_expression() != asked.expression());
  if (response.changed()) {
    if (there.has_value()) {
      draft.Touch(*record.mutable_meta());
    } else {
      RETURN_IF_ERROR(CheckRoom(draft, asked.service()));
      *record.mutable_meta() = draft.NewMeta(service.value.meta().owner());
      draft.PutBytes(model::EntitledKey(asked.service(), asked.consumer()), "");
    }
    *record.mutable_entitlement() = asked;
    draft.Put(key, record);
    draft.Audit("entitlement.set", NameOf(asked),
                there.has_value() ? &there->value.entitlement() : nullptr, &asked,
                request.reason());
  }
  RETURN_IF_ERROR(AddPinsOutside(draft, service.value.service(), expression, response));
  return response;
}

absl::StatusOr<v1::UnsetEntitlementResponse> UnsetEntitlement(
    Draft& draft, const v1::UnsetEntitlementRequest& request) {
  RETURN_IF_ERROR(CheckNames(request));
  RETURN_IF_ERROR(model::ValidateText("reason", request.reason(), model::kMaxReasonBytes));
  RETURN_IF_ERROR(RequireConsumer(draft, request.consumer()).status());
  RETURN_IF_ERROR(RequireService(draft, request.service()).status());
  const std::string key = model::EntitlementKey(request.consumer(), request.service());
  ASSIGN_OR_RETURN(const auto there, draft.Get<v1::Entitlement>(key));
  RETURN_IF_ERROR(
      CheckExpected(request.has_expected_revision(), request.expected_revision(),
                    there.has_value() ? there->revision : 0,
                    absl::StrCat("entitlement ", request.consumer(), " ", request.service())));
  v1::UnsetEntitlementResponse response;
  if (!there.has_value()) return response;
  const routing::v1::Entitlement& before = there->value.entitlement();
  response.set_old_expression(before.expression());
  draft.Delete(key);
  draft.Delete(model::EntitledKey(before.service(), before.consumer()));
  draft.Audit("entitlement.unset", NameOf(before), &before, nullptr, request.reason());
  return response;
}

absl::StatusOr<v1::Entitlement> GetEntitlement(Draft& draft,
                                               const v1::GetEntitlementRequest& request) {
  RETURN_IF_ERROR(CheckNames(request));
  RETURN_IF_ERROR(RequireConsumer(draft, request.consumer()).status());
  RETURN_IF_ERROR(RequireService(draft, request.service()).status());
  ASSIGN_OR_RETURN(auto there, draft.Get<v1::Entitlement>(
                                   model::EntitlementKey(request.consumer(), request.service())));
  if (there.has_value()) return std::move(there->value);
  return model::Refusal(absl::StatusCode::kNotFound, "ENTITLEMENT_NOT_FOUND",
                        absl::StrCat(request.consumer(), " has no entitlement for ",
                                     request.service(), ": it may choose all versions"),
                        {{"consumer", request.consumer()}, {"service", request.service()}});
}

absl::StatusOr<v1::ListEntitlementsResponse> ListEntitlements(
    Draft& draft, const v1::ListEntitlementsRequest& request) {
  const std::string& consumer = request.consumer();
  const std::string& service = request.service();
  if (!consumer.empty()) RETURN_IF_ERROR(RequireConsumer(draft, consumer).status());
  if (!service.empty()) RETURN_IF_ERROR(RequireService(draft, service).status());
  v1::ListEntitlementsResponse response;
  if (service.empty()) {
    ASSIGN_OR_RETURN(auto page,
                     draft.List<v1::Entitlement>(model::EntitlementsOf(consumer),
                                                 {request.page_size(), request.page_token()}));
    for (auto& one : page.records) *response.add_entitlements() = std::move(one.value);
    response.set_next_page_token(page.next_token);
    return response;
  }
  // Of one service: through the index.
  std::vector<std::string> consumers = {consumer};
  if (consumer.empty()) {
    const std::string prefix = model::EntitledOf(service);
    ASSIGN_OR_RETURN(const store::RangeResult page,
                     draft.PageOf(prefix, {request.page_size(), request.page_token()}));
    consumers.clear();
    for (const store::KeyValue& kv : page.kvs) consumers.push_back(kv.key.substr(prefix.size()));
    if (page.more) response.set_next_page_token(consumers.back());
  }
  for (const std::string& each : consumers) {
    ASSIGN_OR_RETURN(auto one, draft.Get<v1::Entitlement>(model::EntitlementKey(each, service)));
    if (one.has_value()) *response.add_entitlements() = std::move(one->value);
  }
  return response;
}

}  // namespace pinion::service
