// Reading pins: one, many, and the history of one.
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "registry/model/errors.h"
#include "registry/model/keys.h"
#include "registry/model/pins.h"
#include "registry/model/validate.h"
#include "registry/service/lookups.h"
#include "registry/service/operations.h"

namespace pinion::service {
namespace {

// Fills in what expressions mean; each is looked up once for a list.
class Resolver {
 public:
  explicit Resolver(Draft& draft) : draft_(draft) {}

  absl::Status FillIn(v1::Pin& pin) {
    const std::pair<std::string, std::string> asked(pin.pin().service(), pin.pin().expression());
    auto it = known_.find(asked);
    if (it == known_.end()) {
      ASSIGN_OR_RETURN(ExpressionMeaning meaning, MeaningOf(draft_, asked.first, asked.second));
      it = known_.emplace(asked, std::move(meaning)).first;
    }
    pin.set_resolved_version(it->second.For(pin.pin().consumer()));
    return absl::OkStatus();
  }

 private:
  Draft& draft_;
  std::map<std::pair<std::string, std::string>, ExpressionMeaning> known_;
};

// Pins of one service, through the index: by expression, consumer and method.
absl::StatusOr<v1::ListPinsResponse> ListPinsOfService(Draft& draft,
                                                       const v1::ListPinsRequest& request) {
  const std::string prefix = model::PinUsesOf(request.service(), "");
  ASSIGN_OR_RETURN(const store::RangeResult uses,
                   draft.PageOf(prefix, {request.page_size(), request.page_token()}));
  v1::ListPinsResponse response;
  Resolver resolver(draft);
  for (const store::KeyValue& kv : uses.kvs) {
    const std::optional<model::PinUse> use = model::ParsePinUse(kv.key);
    if (!use.has_value()) return model::Damaged(kv.key);
    ASSIGN_OR_RETURN(
        auto pin, draft.Get<v1::Pin>(model::PinKey(use->consumer, request.service(), use->method)));
    if (!pin.has_value()) continue;  // unset since
    RETURN_IF_ERROR(resolver.FillIn(pin->value));
    *response.add_pins() = std::move(pin->value);
  }
  if (uses.more) response.set_next_page_token(uses.kvs.back().key.substr(prefix.size()));
  return response;
}

}  // namespace

absl::StatusOr<v1::Pin> GetPin(Draft& draft, const v1::GetPinRequest& request) {
  RETURN_IF_ERROR(RequireConsumer(draft, request.consumer()).status());
  RETURN_IF_ERROR(RequireService(draft, request.service()).status());
  RETURN_IF_ERROR(model::ValidateMethod(request.method()));
  ASSIGN_OR_RETURN(auto pin, draft.Get<v1::Pin>(model::PinKey(request.consumer(), request.service(),
                                                              request.method())));
  if (!pin.has_value()) {
    return model::Refusal(absl::StatusCode::kNotFound, "PIN_NOT_FOUND",
                          absl::StrCat(request.consumer(), " has no pin for ", request.service(),
                                       request.method().empty() ? "" : " ", request.method(),
                                       ": the service's policy for the unpinned holds"),
                          {{"consumer", request.consumer()}, {"service", request.service()}});
  }
  RETURN_IF_ERROR(Resolver(draft).FillIn(pin->value));
  return std::move(pin->value);
}

absl::StatusOr<v1::ListPinsResponse> ListPins(Draft& draft, const v1::ListPinsRequest& request) {
  if (!request.consumer().empty())
    RETURN_IF_ERROR(RequireConsumer(draft, request.consumer()).status());
  if (!request.service().empty())
    RETURN_IF_ERROR(RequireService(draft, request.service()).status());
  if (request.consumer().empty() && !request.service().empty())
    return ListPinsOfService(draft, request);
  ASSIGN_OR_RETURN(Page<v1::Pin> page,
                   draft.List<v1::Pin>(model::PinsOf(request.consumer(), request.service()),
                                       {request.page_size(), request.page_token()}));
  v1::ListPinsResponse response;
  Resolver resolver(draft);
  for (auto& pin : page.records) {
    RETURN_IF_ERROR(resolver.FillIn(pin.value));
    *response.add_pins() = std::move(pin.value);
  }
  response.set_next_page_token(page.next_token);
  return response;
}

absl::StatusOr<v1::ListPinHistoryResponse> ListPinHistory(
    Draft& draft, const v1::ListPinHistoryRequest& request) {
  RETURN_IF_ERROR(RequireConsumer(draft, request.consumer()).status());
  RETURN_IF_ERROR(RequireService(draft, request.service()).status());
  RETURN_IF_ERROR(model::ValidateMethod(request.method()));
  ASSIGN_OR_RETURN(Page<v1::PinChange> page,
                   draft.List<v1::PinChange>(
                       model::PinChangesOf(request.consumer(), request.service(), request.method()),
                       {request.page_size(), request.page_token(), /*newest_first=*/true}));
  v1::ListPinHistoryResponse response;
  for (auto& change : page.records) *response.add_changes() = std::move(change.value);
  response.set_next_page_token(page.next_token);
  return response;
}

}  // namespace pinion::service
