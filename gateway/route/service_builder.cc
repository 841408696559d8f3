// The resources of a service: checks, numbers, changes. Compiling them is in service_compiler.cc.
#include "gateway/route/service_builder.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/address.h"
#include "base/status_macros.h"
#include "gateway/limits.h"
#include "gateway/route/method_path.h"
#include "gateway/route/refusal.h"
#include "registry/version/expression.h"

namespace pinion::route {
namespace {

using routing::v1::Scheme;

absl::Status CheckPolicy(const routing::v1::UnpinnedPolicy& policy) {
  const std::string& channel =
      policy.has_pin_on_first_call() ? policy.pin_on_first_call().channel() : policy.channel();
  return channel.empty() ? absl::OkStatus() : version::ValidateChannelName(channel);
}

absl::Status CheckDeprecation(const routing::v1::Version& version) {
  const routing::v1::Deprecation& deprecation = version.deprecation();
  const bool both = deprecation.has_time() && deprecation.has_sunset_time();
  if (both && deprecation.sunset_time().seconds() < deprecation.time().seconds()) {
    return absl::InvalidArgumentError(
        absl::StrCat("version ", version.name(), " of `", version.service(),
                     "` has its sunset before its deprecation; set it to the same time or later"));
  }
  const bool strange =
      deprecation.link() != Printable(deprecation.link(), limits::kMaxMethodPathBytes) ||
      deprecation.link().find_first_of("<> ") != std::string::npos;
  if (!strange) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("the deprecation link `", Printable(deprecation.link()),
                   "` is not a URL that a header can carry; percent-encode it"));
}

absl::StatusOr<InstanceEntry> ParseInstance(const routing::v1::Instance& instance) {
  InstanceEntry entry;
  entry.uid = instance.uid();
  entry.tls_name = instance.tls_name();
  entry.weight = std::max(instance.weight(), 1u);
  entry.zone = instance.zone();
  const routing::v1::SocketAddress& socket = instance.address().socket_address();
  AddressParts address = {.host = socket.address(), .port = socket.port_value()};
  if (instance.address().has_pipe()) address.path = instance.address().pipe().path();
  absl::Status fault = CheckAddress(address, AddressUse::kConnect);
  if (instance.uid().empty()) fault = absl::InvalidArgumentError("the uid is missing");
  if (!fault.ok()) {
    return absl::InvalidArgumentError(absl::StrCat("instance `", Printable(instance.uid()),
                                                   "` of `", instance.service(), "` ",
                                                   instance.version(), ": ", fault.message()));
  }
  entry.host = address.path.value_or(address.host);
  entry.port = static_cast<uint16_t>(address.port);
  return entry;
}

}  // namespace

void ServiceBuilder::MarkChanged() {
  if (!std::exchange(is_changed_, true)) changed_.push_back(id_);
}

void ServiceBuilder::Changed(bool resolutions_too) {
  MarkChanged();
  if (!resolutions_too) return;
  for (ExpressionRecord& expression : expressions_) expression.compiled = nullptr;
}

absl::Status ServiceBuilder::CheckVersionNames(Scheme scheme) const {
  for (const auto& [name, record] : versions_) {
    if (record.resource) RETURN_IF_ERROR(version::VersionName::Parse(scheme, name).status());
  }
  return absl::OkStatus();
}

absl::Status ServiceBuilder::PutService(const routing::v1::Service& service) {
  if (service.scheme() < routing::v1::SEMVER || service.scheme() > routing::v1::INTEGER) {
    return absl::InvalidArgumentError(
        absl::StrCat("service `", name_, "` has no scheme; set SEMVER, DATE, K8S or INTEGER"));
  }
  if (service.version_from_package() && service.scheme() == routing::v1::DATE) {
    return absl::InvalidArgumentError(
        absl::StrCat("service `", name_, "` takes its version from the package, which never is a ",
                     "date; set scheme K8S, SEMVER or INTEGER, or leave version_from_package out"));
  }
  for (const std::string& grpc_service : service.grpc_services()) {
    if (!ParseMethodPath(absl::StrCat("/", grpc_service, "/Method"))) {
      return absl::InvalidArgumentError(
          absl::StrCat("`", Printable(grpc_service), "` of service `", name_,
                       "` is not a gRPC service's full name, such as helloworld.Greeter"));
    }
  }
  RETURN_IF_ERROR(CheckPolicy(service.unpinned()));
  RETURN_IF_ERROR(CheckVersionNames(service.scheme()));
  service_ = service;
  for (auto& [name, record] : versions_) record.compiled = nullptr;
  for (ExpressionRecord& expression : expressions_) expression.checked = false;
  for (auto& [consumer, entitlement] : entitlements_) entitlement.compiled = nullptr;
  compiled_entitlements_ = nullptr;
  Changed(true);
  return absl::OkStatus();
}

void ServiceBuilder::DeleteService() {
  service_.reset();
  Changed(true);
}

absl::Status ServiceBuilder::PutVersion(const routing::v1::Version& version) {
  if (service_) {
    RETURN_IF_ERROR(version::VersionName::Parse(service_->scheme(), version.name()).status());
  } else if (version.name().empty() || version.name().size() > version::kMaxVersionNameBytes) {
    return absl::InvalidArgumentError(absl::StrCat("a version of `", name_,
                                                   "` needs a name of 1 to ",
                                                   version::kMaxVersionNameBytes, " bytes"));
  }
  RETURN_IF_ERROR(CheckDeprecation(version));
  std::vector<uint64_t> bits;
  for (const routing::v1::GrpcMethods& methods : version.methods()) {
    for (const std::string& method : methods.methods()) {
      ASSIGN_OR_RETURN(const uint16_t number,
                       InternMethod(absl::StrCat("/", methods.grpc_service(), "/", method)));
      if (number / 64u >= bits.size()) bits.resize(number / 64u + 1);
      bits[number / 64] |= uint64_t{1} << number % 64;
    }
  }
  VersionRecord& record = versions_[version.name()];
  record.has_descriptors = version.methods_size() != 0;
  record.method_bits = std::move(bits);
  record.resource = version;
  record.resource->clear_methods();
  record.compiled = nullptr;
  Changed(true);
  return absl::OkStatus();
}

void ServiceBuilder::DeleteVersion(const std::string& version) {
  const auto it = versions_.find(version);
  if (it == versions_.end()) return;
  it->second.resource.reset();
  it->second.compiled = nullptr;
  if (it->second.instances.empty()) versions_.erase(it);
  Changed(true);
}

absl::Status ServiceBuilder::PutChannel(const routing::v1::Channel& channel) {
  RETURN_IF_ERROR(version::ValidateChannelName(channel.name()));
  if (channel.version().empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("channel `", channel.name(), "` of `", name_, "` points to no version"));
  }
  const routing::v1::Channel::Ramp& ramp = channel.ramp();
  if (channel.has_ramp() && (ramp.version().empty() || ramp.percent() < 1 || ramp.percent() > 99)) {
    return absl::InvalidArgumentError(
        absl::StrCat("the ramp of channel `", channel.name(), "` of `", name_,
                     "` needs a version and a share of 1 to 99 per cent"));
  }
  channels_[channel.name()] = channel;
  Changed(true);
  return absl::OkStatus();
}

void ServiceBuilder::DeleteChannel(const std::string& channel) {
  channels_.erase(channel);
  Changed(true);
}

absl::Status ServiceBuilder::PutResolution(const routing::v1::Resolution& resolution) {
  RETURN_IF_ERROR(CheckExpression(resolution.expression()));
  const std::string text = Canonical(resolution.expression());
  if (!resolution_holds_.contains(text)) {
    ASSIGN_OR_RETURN(resolution_holds_[text], AcquireExpression(text));
  }
  resolutions_[text] = resolution.version();
  expressions_[resolution_holds_[text]].compiled = nullptr;
  Changed(false);
  return absl::OkStatus();
}

void ServiceBuilder::DeleteResolution(const std::string& expression) {
  const std::string text = Canonical(expression);
  const auto held = resolution_holds_.find(text);
  if (held == resolution_holds_.end()) return;
  resolutions_.erase(text);
  expressions_[held->second].compiled = nullptr;
  ReleaseExpression(held->second);
  resolution_holds_.erase(held);
  Changed(false);
}

absl::Status ServiceBuilder::PutEntitlement(const routing::v1::Entitlement& entitlement) {
  RETURN_IF_ERROR(CheckExpression(entitlement.expression()));
  const bool named = !entitlement.consumer().empty() &&
                     entitlement.consumer().size() <= version::kMaxConsumerNameBytes;
  if (!named || entitlement.expression().front() == '@') {
    return absl::InvalidArgumentError(
        absl::StrCat("an entitlement of `", Printable(entitlement.consumer()), "` for `", name_,
                     "` needs a consumer's name of 1 to ", version::kMaxConsumerNameBytes,
                     " bytes, and an exact name or a range, no channel"));
  }
  if (entitlements_.size() == limits::kMaxEntitlementsPerService &&
      !entitlements_.contains(entitlement.consumer())) {
    return absl::ResourceExhaustedError(absl::StrCat(
        "`", name_, "` has ", limits::kMaxEntitlementsPerService, " entitlements already"));
  }
  entitlements_[entitlement.consumer()] = {entitlement.expression(), nullptr};
  compiled_entitlements_ = nullptr;
  Changed(false);
  return absl::OkStatus();
}

void ServiceBuilder::DeleteEntitlement(const std::string& consumer) {
  if (entitlements_.erase(consumer) == 0) return;
  compiled_entitlements_ = nullptr;
  Changed(false);
}

absl::Status ServiceBuilder::PutInstance(const routing::v1::Instance& instance) {
  ASSIGN_OR_RETURN(InstanceEntry entry, ParseInstance(instance));
  VersionRecord& record = versions_[instance.version()];
  record.instances[instance.uid()] = std::move(entry);
  record.compiled_instances = nullptr;
  record.compiled = nullptr;
  Changed(false);
  return absl::OkStatus();
}

void ServiceBuilder::DeleteInstance(const std::string& version, const std::string& uid) {
  const auto it = versions_.find(version);
  if (it == versions_.end() || it->second.instances.erase(uid) == 0) return;
  it->second.compiled_instances = nullptr;
  it->second.compiled = nullptr;
  if (it->second.instances.empty() && !it->second.resource) versions_.erase(it);
  Changed(false);
}

absl::Status ServiceBuilder::CheckExpression(absl::string_view expression) const {
  const auto known = expression_numbers_.find(expression);
  if (service_ && known != expression_numbers_.end() && expressions_[known->second].checked) {
    return absl::OkStatus();
  }
  if (expression.empty() || expression.size() > version::kMaxPinBytes) {
    return absl::InvalidArgumentError(absl::StrCat("an expression for `", name_, "` has ",
                                                   expression.size(), " bytes; it must have 1 to ",
                                                   version::kMaxPinBytes));
  }
  if (!service_) return absl::OkStatus();
  return version::Expression::Parse(service_->scheme(), expression).status();
}

std::string ServiceBuilder::Canonical(absl::string_view expression) const {
  if (!service_) return std::string(expression);
  const auto parsed = version::Expression::Parse(service_->scheme(), expression);
  return parsed.ok() ? parsed->canonical() : std::string(expression);
}

absl::StatusOr<uint16_t> ServiceBuilder::AcquireExpression(absl::string_view expression) {
  // A text that is canonical, or was there before the service, needs no parsing: a million pins
  // share a few.
  const auto known = expression_numbers_.find(expression);
  if (known != expression_numbers_.end()) {
    ExpressionRecord& record = expressions_[known->second];
    if (!record.checked || !service_) RETURN_IF_ERROR(CheckExpression(expression));
    ++record.holders;
    record.checked = service_.has_value();
    return known->second;
  }
  RETURN_IF_ERROR(CheckExpression(expression));
  std::string text = Canonical(expression);
  const auto [it, added] = expression_numbers_.try_emplace(text, 0);
  if (added) {
    if (!free_expressions_.empty()) {
      it->second = free_expressions_.back();
      free_expressions_.pop_back();
    } else if (expressions_.size() < limits::kMaxExpressionsPerService) {
      it->second = static_cast<uint16_t>(expressions_.size());
      expressions_.emplace_back();
    } else {
      expression_numbers_.erase(it);
      return absl::ResourceExhaustedError(
          absl::StrCat("pins of `", name_, "` use ", limits::kMaxExpressionsPerService,
                       " different expressions already; use one of them, such as a range"));
    }
    expressions_[it->second].text = std::move(text);
    MarkChanged();
  }
  ++expressions_[it->second].holders;
  expressions_[it->second].checked = service_.has_value();
  return it->second;
}

void ServiceBuilder::ReleaseExpression(uint16_t number) {
  ExpressionRecord& record = expressions_[number];
  if (--record.holders != 0) return;
  expression_numbers_.erase(record.text);
  record = {};
  free_expressions_.push_back(number);
  MarkChanged();
}

absl::StatusOr<uint16_t> ServiceBuilder::InternMethod(absl::string_view full_path) {
  if (const std::optional<uint16_t> known = FindMethod(full_path)) return *known;
  if (methods_.size() == limits::kMaxMethodsPerService) {
    return absl::ResourceExhaustedError(
        absl::StrCat("`", name_, "` has ", limits::kMaxMethodsPerService, " methods already"));
  }
  const auto number = static_cast<uint16_t>(methods_.size() + 1);
  methods_.emplace(full_path, number);
  compiled_methods_ = nullptr;
  MarkChanged();
  return number;
}

std::optional<uint16_t> ServiceBuilder::FindMethod(absl::string_view full_path) const {
  const auto it = methods_.find(full_path);
  if (it == methods_.end()) return std::nullopt;
  return it->second;
}

void ServiceBuilder::CountMethodPin(int by) {
  const bool had = method_pins_ != 0;
  method_pins_ += by;
  if (had != (method_pins_ != 0)) MarkChanged();
}

}  // namespace pinion::route
