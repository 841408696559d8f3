#include "gateway/route/decision.h"

#include <utility>

#include "absl/strings/ascii.h"
#include "gateway/route/expression_compiler.h"
#include "registry/version/names.h"

namespace pinion::route {

using routing::v1::PUBLISHED;
using routing::v1::RETIRED;
using routing::v1::SUNSET;

Resolved Decision::Run() {
  Say("call: ", query_.method.full);
  Say("consumer: ", query_.consumer == nullptr ? "none (unregistered)" : query_.consumer->name);
  if (query_.consumer_required && query_.consumer == nullptr) {
    return Refuse(Reason::kConsumerRequired,
                  "this listener serves registered consumers only, and no consumer owns the "
                  "credentials of this call; register one with `pinion consumer add`, with the "
                  "identity that the caller presents");
  }
  if (auto refusal = FindService()) return *std::move(refusal);
  if (auto refusal = FindWanted()) return *std::move(refusal);
  if (auto refusal = FindVersion()) return *std::move(refusal);
  if (auto refusal = CheckEntitled()) return *std::move(refusal);
  if (auto refusal = CheckMethod()) return *std::move(refusal);
  Route route;
  route.service = service_;
  route.version = version_;
  route.method = method_;
  route.source = wanted_.source;
  // Not the expression's text if it came in a header: `headers_` may forget that before the call
  // ends.
  route.asked = wanted_.source == Source::kHeader ? *query_.version_header
                                                  : absl::string_view(wanted_.expression->text);
  route.propose_pin = wanted_.source == Source::kUnpinnedPolicy && service_->pin_on_first_call &&
                      query_.consumer != nullptr;
  if (route.propose_pin && explains()) SayProposal(route);
  return route;
}

void Decision::SayProposal(const Route& route) {
  Say("pin on the first call: the gateway proposes the pin `", Printable(query_.consumer->name),
      " ", service_->name, " ", route.version->name,
      "` to its registry, which sets it unless there is one");
}

std::optional<Refusal> Decision::FindService() {
  const auto it = table_.grpc_services_->find(query_.method.grpc_service);
  if (it == table_.grpc_services_->end()) {
    return Refuse(Reason::kServiceUnknown,
                  absl::StrCat("no service here has the gRPC service `",
                               Printable(query_.method.grpc_service),
                               "`; check the method's path, or publish a version that has it"),
                  {{"grpc_service", std::string(query_.method.grpc_service)}});
  }
  service_ = table_.ServiceOf(it->second.service);
  position_ = it->second.position;
  Say("service: ", service_->name);
  if (!query_.method.method.empty() && !service_->methods->empty()) {
    const auto method = service_->methods->find(query_.method.full);
    if (method != service_->methods->end()) method_ = method->second;
  }
  return std::nullopt;
}

std::optional<Refusal> Decision::FindWanted() {
  if (query_.version_header_repeated) {
    wanted_.source = Source::kHeader;
    Say("`", query_.version_header_name, "` metadata: given more than once");
    return Refuse(Reason::kPinMalformed,
                  absl::StrCat("`", query_.version_header_name,
                               "` metadata was given more than once; give it once or not at all"));
  }
  const bool found = FromHeader() || FromMethodPin() || FromServicePin() || FromDefaultChannel() ||
                     FromPackage() || FromPolicy();
  if (found) return std::nullopt;
  const absl::string_view name =
      query_.consumer == nullptr ? absl::string_view("CONSUMER") : query_.consumer->name;
  return Refuse(Reason::kPinRequired,
                absl::StrCat("`", service_->name, "` serves only callers with a pin; set one with ",
                             "`pinion pin set ", Printable(name), " ", service_->name,
                             " EXPRESSION`, or send `", query_.version_header_name, "` metadata"));
}

bool Decision::Want(const ExpressionEntry* expression, Source source) {
  wanted_ = {expression, source};
  return true;
}

bool Decision::FromHeader() {
  if (!query_.version_header.has_value()) {
    Say("`", query_.version_header_name, "` metadata: none");
    return false;
  }
  const absl::string_view value = *query_.version_header;
  if (explains()) Say("`", query_.version_header_name, "` metadata: ", Printable(value));
  if (const auto it = service_->expressions_by_text.find(value);
      it != service_->expressions_by_text.end()) {
    return Want(it->second, Source::kHeader);
  }
  headers_.Bind(table_.generation_);
  const ExpressionEntry* entry = headers_.Find(service_->id, value);
  if (entry == nullptr) {
    entry = headers_.Insert(service_->id, value.substr(0, version::kMaxPinBytes + 1),
                            CompileExpression(*service_, value, nullptr));
  }
  return Want(entry, Source::kHeader);
}

const ExpressionEntry* Decision::FindPin(uint16_t method) const {
  const PinSlot key{query_.consumer->id, service_->id, method, 0};
  const PinSlot* pin =
      table_.pins_.Find(key.Hash(), [&key](const PinSlot& slot) { return slot.SameKey(key); });
  return pin == nullptr ? nullptr : service_->expressions[pin->expression].get();
}

bool Decision::FromMethodPin() {
  if (query_.consumer == nullptr || !service_->has_method_pins || method_ == 0) {
    Say("pin for the method: none");
    return false;
  }
  const ExpressionEntry* pin = FindPin(method_);
  Say("pin for the method: ", pin == nullptr ? "none" : pin->text);
  return pin != nullptr && Want(pin, Source::kMethodPin);
}

bool Decision::FromServicePin() {
  const ExpressionEntry* pin = query_.consumer == nullptr ? nullptr : FindPin(0);
  Say("pin for the service: ", pin == nullptr ? "none" : pin->text);
  return pin != nullptr && Want(pin, Source::kServicePin);
}

bool Decision::FromDefaultChannel() {
  if (query_.consumer == nullptr || query_.consumer->default_channel.empty()) {
    Say("default channel of the consumer: none");
    return false;
  }
  const ExpressionEntry* channel = service_->FindChannel(query_.consumer->default_channel);
  Say("default channel of the consumer: ", query_.consumer->default_channel,
      channel == nullptr ? ", which this service does not have" : "");
  return channel != nullptr && Want(channel, Source::kDefaultChannel);
}

bool Decision::FromPackage() {
  if (service_->package_expressions.empty()) {
    Say("version from the package: not for this service");
    return false;
  }
  const ExpressionEntry* package = service_->package_expressions[position_].get();
  Say("version from the package: ", package == nullptr ? "none in its name" : package->text);
  return package != nullptr && Want(package, Source::kPackage);
}

bool Decision::FromPolicy() {
  if (service_->unpinned == nullptr) {
    Say("policy for callers without a pin: reject");
    return false;
  }
  Say("policy for callers without a pin: ", service_->unpinned->text,
      service_->pin_on_first_call ? ", and pin on the first call" : "");
  return Want(service_->unpinned.get(), Source::kUnpinnedPolicy);
}

void Decision::SayRamp(bool among) {
  const ExpressionEntry& channel = *wanted_.expression;
  const std::string ramp =
      absl::StrCat(channel.text, " is ramped: ", channel.ramp->percent,
                   " % of the registered consumers to ", channel.ramp->version_name);
  if (query_.consumer == nullptr) {
    Say(ramp, "; this caller is none");
  } else {
    Say(ramp, "; ", Printable(query_.consumer->name), among ? " is" : " is not", " among them");
  }
}

const VersionEntry* Decision::FollowRamp() {
  const ExpressionEntry& channel = *wanted_.expression;
  const bool among =
      query_.consumer != nullptr && channel.ramp->share.Includes(query_.consumer->name);
  if (explains()) SayRamp(among);
  return among ? channel.ramp->version : channel.version;
}

void Decision::SayVersion() {
  const VersionEntry& version = *version_;
  Say(Printable(wanted_.expression->text), " means version ", version.name, ", ",
      absl::AsciiStrToLower(routing::v1::VersionState_Name(version.state)), ", with ",
      version.instances->size(), " instance(s)");
  if (!version.deprecation_header.empty()) {
    Say("its answers say: deprecation ", version.deprecation_header,
        version.sunset_header.empty() ? "" : ", sunset ", version.sunset_header,
        version.successor.empty() ? "" : "; its successor is ", version.successor);
  }
}

// Channels are names that lead on, whoever names them.
bool Decision::PinnedByName() const {
  const bool pinned = wanted_.source == Source::kMethodPin || wanted_.source == Source::kServicePin;
  return pinned && wanted_.expression->text.front() != '@';
}

std::optional<Refusal> Decision::FindVersion() {
  const ExpressionEntry& expression = *wanted_.expression;
  version_ = expression.ramp == nullptr ? expression.version : FollowRamp();
  if (version_ == nullptr) {
    return expression.problem.empty() ? RefuseNoMatch() : RefuseMalformed(expression.problem);
  }
  const VersionEntry& version = *version_;
  if (explains()) SayVersion();
  if (version.state == RETIRED) return RefuseRetired();
  if (version.state == PUBLISHED && version.instances->empty()) return RefuseNeverActive();
  if (version.state == SUNSET && !PinnedByName()) return RefuseSunset();
  return std::nullopt;
}

const EntitlementEntry* Decision::FindEntitlement() const {
  if (query_.consumer == nullptr || service_->entitlements->empty()) return nullptr;
  const auto it = service_->entitlements->find(query_.consumer->name);
  return it == service_->entitlements->end() ? nullptr : it->second.get();
}

std::optional<Refusal> Decision::CheckEntitled() {
  // Where a channel leads is its owners' choice, whoever names it.
  const bool chosen = wanted_.source == Source::kHeader && wanted_.expression->text.front() != '@';
  if (!chosen && !explains()) return std::nullopt;
  const EntitlementEntry* entitlement = FindEntitlement();
  if (entitlement == nullptr) return std::nullopt;
  const bool allowed = !chosen || entitlement->Allows(*version_);
  Say("entitlement of the consumer: ", Printable(entitlement->text, version::kMaxPinBytes),
      !chosen   ? ", which limits what it chooses, and not this"
      : allowed ? ", which allows that"
                : ", which does not allow that");
  if (allowed) return std::nullopt;
  return RefuseNotEntitled(*entitlement);
}

std::optional<Refusal> Decision::CheckMethod() {
  const VersionEntry& version = *version_;
  if (query_.method.method.empty()) return std::nullopt;
  if (!version.has_descriptors) {
    Say("method: not checked, the version was published without descriptors");
    return std::nullopt;
  }
  if (version.HasMethod(method_)) {
    Say("method: in this version");
    return std::nullopt;
  }
  return RefuseMethod(method_);
}

}  // namespace pinion::route
