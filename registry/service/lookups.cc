#include "registry/service/lookups.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "registry/model/errors.h"
#include "registry/model/keys.h"
#include "registry/model/requirements.h"
#include "registry/version/ramp.h"

namespace pinion::service {

absl::StatusOr<Stored<registry::v1::Service>> RequireService(Draft& draft,
                                                             const std::string& name) {
  ASSIGN_OR_RETURN(auto service, draft.Get<registry::v1::Service>(model::ServiceKey(name)));
  if (service.has_value()) return *std::move(service);
  ASSIGN_OR_RETURN(const std::vector<std::string> names, draft.NamesUnder(model::kServices));
  return model::UnknownName("SERVICE_UNKNOWN", "service", name, names,
                            "publish a version of it, or correct the name");
}

absl::StatusOr<Stored<registry::v1::Service>> RequireApi(Draft& draft, const std::string& name,
                                                         absl::string_view what) {
  ASSIGN_OR_RETURN(auto service, RequireService(draft, name));
  RETURN_IF_ERROR(model::CheckTakesCalls(service.value, what));
  return service;
}

absl::StatusOr<Stored<registry::v1::VersionRecord>> RequireVersion(Draft& draft,
                                                                   const std::string& service,
                                                                   const std::string& name) {
  ASSIGN_OR_RETURN(auto version,
                   draft.Get<registry::v1::VersionRecord>(model::VersionKey(service, name)));
  if (version.has_value()) return *std::move(version);
  RETURN_IF_ERROR(RequireService(draft, service).status());
  ASSIGN_OR_RETURN(const std::vector<std::string> names,
                   draft.NamesUnder(model::VersionsOf(service)));
  return model::UnknownName("VERSION_NOT_FOUND", "version", name, names,
                            absl::StrCat("publish it, or choose a version that ", service, " has"),
                            {{"service", service}});
}

absl::StatusOr<Stored<registry::v1::Consumer>> RequireConsumer(Draft& draft,
                                                               const std::string& name) {
  ASSIGN_OR_RETURN(auto consumer, draft.Get<registry::v1::Consumer>(model::ConsumerKey(name)));
  if (consumer.has_value()) return *std::move(consumer);
  ASSIGN_OR_RETURN(const std::vector<std::string> names, draft.NamesUnder(model::kConsumers));
  return model::UnknownName("CONSUMER_UNKNOWN", "consumer", name, names,
                            "add it, or correct the name");
}

absl::Status UnknownInstance(const std::string& uid) {
  return model::Refusal(absl::StatusCode::kNotFound, "INSTANCE_UNKNOWN",
                        absl::StrCat("no instance ", uid,
                                     ": it was deregistered, or its lease has run out; "
                                     "register it again"),
                        {{"instance", uid}});
}

absl::StatusOr<Stored<registry::v1::Instance>> RequireInstance(Draft& draft,
                                                               const std::string& uid) {
  ASSIGN_OR_RETURN(const auto ref,
                   draft.Get<registry::v1::InstanceRef>(model::InstanceUidKey(uid)));
  if (!ref.has_value()) return UnknownInstance(uid);
  ASSIGN_OR_RETURN(auto instance, draft.Get<registry::v1::Instance>(model::InstanceKey(
                                      ref->value.service(), ref->value.version(), uid)));
  if (!instance.has_value()) return UnknownInstance(uid);
  return *std::move(instance);
}

absl::StatusOr<model::VersionList> LoadVersions(Draft& draft, const routing::v1::Service& service) {
  model::VersionList list(service.scheme());
  ASSIGN_OR_RETURN(const auto records,
                   draft.All<registry::v1::VersionRecord>(model::VersionsOf(service.name())));
  for (const auto& record : records) {
    const routing::v1::Version& version = record.value.version().version();
    if (!list.Add(version.name(), version.state()).ok()) {
      return model::Damaged(model::VersionKey(service.name(), version.name()));
    }
  }
  return list;
}

absl::Status CheckExpected(bool has_expected, int64_t expected, store::Revision actual,
                           absl::string_view object) {
  if (!has_expected || expected == actual) return absl::OkStatus();
  return model::RevisionConflict(object, expected, actual);
}

absl::StatusOr<version::Expression> ParseExpression(const routing::v1::Service& service,
                                                    const std::string& text) {
  absl::StatusOr<version::Expression> expression =
      version::Expression::Parse(service.scheme(), text);
  if (expression.ok()) return expression;
  return model::WithReason(expression.status(), "PIN_MALFORMED",
                           {{"service", service.name()}, {"asked", text}});
}

const std::string& ExpressionMeaning::For(absl::string_view consumer) const {
  return channel.has_value() ? version::VersionFor(*channel, consumer) : version;
}

absl::StatusOr<ExpressionMeaning> MeaningOf(Draft& draft, const std::string& service,
                                            const std::string& expression) {
  ExpressionMeaning meaning;
  if (absl::StartsWith(expression, "@")) {
    ASSIGN_OR_RETURN(const auto channel, draft.Get<registry::v1::Channel>(
                                             model::ChannelKey(service, expression.substr(1))));
    if (channel.has_value()) meaning.channel = channel->value.channel();
    return meaning;
  }
  ASSIGN_OR_RETURN(const auto resolutions,
                   draft.Get<registry::v1::Resolutions>(model::ResolutionsKey(service)));
  if (!resolutions.has_value()) return meaning;
  meaning.version = model::Find(resolutions->value, expression).value_or("");
  return meaning;
}

absl::StatusOr<std::string> ResolvedVersion(Draft& draft, const std::string& service,
                                            const std::string& expression,
                                            absl::string_view consumer) {
  ASSIGN_OR_RETURN(const ExpressionMeaning meaning, MeaningOf(draft, service, expression));
  return meaning.For(consumer);
}

absl::StatusOr<std::string> ResolvedVersion(Draft& draft, const routing::v1::Pin& pin) {
  return ResolvedVersion(draft, pin.service(), pin.expression(), pin.consumer());
}

absl::StatusOr<std::vector<registry::v1::MovedExpression>> CountMoved(
    Draft& draft, const std::string& service, const std::vector<model::Moved>& moved) {
  std::vector<registry::v1::MovedExpression> counted;
  for (const model::Moved& one : moved) {
    registry::v1::MovedExpression& message = counted.emplace_back();
    message.set_expression(one.expression);
    message.set_old_version(one.old_version);
    message.set_new_version(one.new_version);
    ASSIGN_OR_RETURN(const int64_t pins, draft.Count(model::PinUsesOf(service, one.expression)));
    message.set_consumers(pins);
  }
  return counted;
}

}  // namespace pinion::service
