// The refusals of a Decision: what is wrong, who asked for it, and what to do next.
#include <algorithm>

#include "absl/strings/str_join.h"
#include "gateway/limits.h"
#include "gateway/route/decision.h"
#include "registry/version/expression.h"

namespace pinion::route {
namespace {

using routing::v1::ACTIVE;
using routing::v1::DEPRECATED;
using routing::v1::RETIRED;
using routing::v1::SUNSET;

bool MayBeChosen(const VersionEntry& version) {
  return version.state == ACTIVE || version.state == DEPRECATED;
}

bool HasEnded(const VersionEntry& version) {
  return version.state == SUNSET || version.state == RETIRED;
}

std::string ConsumerName(const Consumer* consumer) {
  return consumer == nullptr ? "" : Printable(consumer->name);
}

// "2.0.0, 1.0.0" or "none".
std::string ListOrNone(const std::vector<std::string>& names) {
  return names.empty() ? "none" : absl::StrJoin(names, ", ");
}

std::string ChannelList(const ServiceEntry& service) {
  std::vector<std::string> names;
  for (const routing::v1::Channel& channel : service.channels) {
    if (names.size() == limits::kMaxRefusalVersions) break;
    names.push_back(channel.name());
  }
  return ListOrNone(names);
}

}  // namespace

std::vector<std::string> NearestVersions(const ServiceEntry& service, absl::string_view asked,
                                         std::optional<uint16_t> method,
                                         const EntitlementEntry* entitlement) {
  std::vector<const VersionEntry*> usable;
  for (const auto& version : service.versions) {
    const bool has_it = !method || !version->has_descriptors || version->HasMethod(*method);
    const bool allowed = entitlement == nullptr || entitlement->Allows(*version);
    if (MayBeChosen(*version) && has_it && allowed) usable.push_back(version.get());
  }
  // A window around the place where `asked` would stand, newest first; without a place, the newest.
  size_t place = 0;
  if (const auto name = version::VersionName::Parse(service.scheme, asked); name.ok()) {
    while (place < usable.size() && usable[place]->parsed > *name) ++place;
  }
  const size_t count = std::min(usable.size(), limits::kMaxRefusalVersions);
  const size_t half = limits::kMaxRefusalVersions / 2;
  const size_t first = std::min(place > half ? place - half : 0, usable.size() - count);
  std::vector<std::string> names;
  for (size_t i = first; i < first + count; ++i) names.push_back(usable[i]->name);
  return names;
}

std::vector<std::string> Decision::Nearest(absl::string_view asked,
                                           std::optional<uint16_t> method) const {
  return NearestVersions(*service_, asked, method, FindEntitlement());
}

Refusal Decision::Refuse(Reason reason, absl::string_view message, Refusal::Metadata more) const {
  Refusal::Metadata metadata = std::move(more);
  if (service_ != nullptr) metadata.emplace_back("service", service_->name);
  metadata.emplace_back("consumer", ConsumerName(query_.consumer));
  if (wanted_.expression != nullptr) {
    metadata.emplace_back("asked", Printable(wanted_.expression->text));
    metadata.emplace_back("source", SourceName(wanted_.source));
  } else if (query_.version_header_repeated) {
    metadata.emplace_back("source", SourceName(Source::kHeader));
  }
  Refusal refusal = MakeRefusal(reason, message, std::move(metadata));
  return refusal;
}

std::string Decision::Asker() const {
  const std::string consumer = ConsumerName(query_.consumer);
  switch (wanted_.source) {
    case Source::kHeader:
      return absl::StrCat("the `", query_.version_header_name, "` metadata of this call");
    case Source::kMethodPin:
      return absl::StrCat("the pin of consumer `", consumer, "` for this method");
    case Source::kServicePin:
      return absl::StrCat("the pin of consumer `", consumer, "`");
    case Source::kDefaultChannel:
      return absl::StrCat("the default channel of consumer `", consumer, "`");
    case Source::kPackage:
      return absl::StrCat("the package of `", Printable(query_.method.grpc_service), "`");
    case Source::kUnpinnedPolicy:
      return "the service's policy for callers without a pin";
  }
  return "";
}

std::string Decision::Advice(absl::string_view example) const {
  const absl::string_view expression = example.empty() ? "EXPRESSION" : example;
  switch (wanted_.source) {
    case Source::kHeader:
      return absl::StrCat("send ", query_.version_header_name, ": ", expression,
                          ", or leave it out to use the consumer's pin");
    case Source::kMethodPin:
    case Source::kServicePin:
      return absl::StrCat("move the pin, as in `pinion pin set ", ConsumerName(query_.consumer),
                          " ", service_->name, " '", expression, "'`",
                          wanted_.source == Source::kMethodPin ? " for this method" : "");
    case Source::kPackage:
      return absl::StrCat("call a package that is served, or send ", query_.version_header_name,
                          ": ", expression);
    case Source::kDefaultChannel:
    case Source::kUnpinnedPolicy:
      return absl::StrCat("have an owner of `", service_->name, "` move the channel, or send ",
                          query_.version_header_name, ": ", expression);
  }
  return "";
}

Refusal Decision::RefuseMalformed(absl::string_view problem) const {
  return Refuse(Reason::kPinMalformed,
                absl::StrCat(Asker(), " for `", service_->name, "` is malformed: ", problem));
}

Refusal Decision::RefuseNoMatch() const {
  const std::string& asked = wanted_.expression->text;
  const std::vector<std::string> nearest = Nearest(asked);
  const std::string advice = Advice(nearest.empty() ? "" : nearest.front());
  std::string message;
  Refusal::Metadata metadata = {{"available", absl::StrJoin(nearest, ", ")}};
  if (asked.front() == '@') {
    const std::string channels = ChannelList(*service_);
    message =
        absl::StrCat("`", service_->name, "` has no version behind channel `", Printable(asked),
                     "`, which ", Asker(), " asks for; its channels: ", channels,
                     "; its versions: ", ListOrNone(nearest), "; ", advice);
    metadata.emplace_back("channels", channels);
  } else if (const VersionEntry* ended = FindEnded()) {
    const std::string successor = Successor(*ended);
    message = absl::StrCat("`", service_->name, "` has no version for `", Printable(asked),
                           "`, which ", Asker(), " asks for, any more: ", ended->name,
                           ended->state == RETIRED ? " is retired" : " is past its sunset",
                           successor.empty() ? " and has no successor"
                                             : absl::StrCat("; its successor is ", successor),
                           "; ", Advice(successor));
    metadata.emplace_back("version", ended->name);
    metadata.emplace_back("successor", successor);
  } else {
    message = absl::StrCat(
        "`", service_->name, "` has no version for `", Printable(asked), "`, which ", Asker(),
        " asks for; nearest: ", ListOrNone(nearest), "; ",
        nearest.empty() ? "no version of it is active yet: start an instance of one" : advice);
  }
  return Refuse(Reason::kVersionNotFound, message, std::move(metadata));
}

std::string Decision::Successor(const VersionEntry& version) const {
  // A chain passes each version once at most; a circle ends by the count.
  const VersionEntry* next = service_->FindVersion(version.successor);
  for (size_t i = 0; next != nullptr && i < service_->versions.size(); ++i) {
    if (!HasEnded(*next)) return next->name;
    next = service_->FindVersion(next->successor);
  }
  const std::vector<std::string> nearest = Nearest(version.name);
  return nearest.empty() ? "" : nearest.front();
}

const VersionEntry* Decision::FindEnded() const {
  const auto expression = version::Expression::Parse(service_->scheme, wanted_.expression->text);
  if (!expression.ok()) return nullptr;
  for (const auto& version : service_->versions) {
    if (HasEnded(*version) && expression->Matches(version->parsed)) return version.get();
  }
  return nullptr;
}

Refusal Decision::RefuseRetired() const {
  const VersionEntry& version = *version_;
  const std::vector<std::string> nearest = Nearest(version.name);
  const std::string successor = Successor(version);
  const std::string named =
      successor.empty() ? "and has no successor" : absl::StrCat("; its successor is ", successor);
  return Refuse(Reason::kVersionRetired,
                absl::StrCat("`", service_->name, "` ", version.name, ", which ", Asker(),
                             " asks for, is retired", successor.empty() ? " " : "", named, "; ",
                             Advice(successor)),
                {{"version", version.name},
                 {"successor", successor},
                 {"available", absl::StrJoin(nearest, ", ")}});
}

Refusal Decision::RefuseNeverActive() const {
  const VersionEntry& version = *version_;
  return Refuse(
      Reason::kNoHealthyInstance,
      absl::StrCat(
          "`", service_->name, "` ", version.name, ", which ", Asker(),
          " asks for, is published, but no instance of it was ever ready for calls; start ",
          "one and register it with `pinion instance register ", service_->name, " ", version.name,
          " ADDRESS`; `pinion instance list` shows whether one waits"),
      {{"version", version.name}, {"available", absl::StrJoin(Nearest(version.name), ", ")}});
}

Refusal Decision::RefuseSunset() const {
  const VersionEntry& version = *version_;
  const std::string successor = Successor(version);
  const ExpressionEntry& asked = *wanted_.expression;
  const bool by_ramp = asked.ramp != nullptr && version_ == asked.ramp->version;
  const std::string ramp =
      !by_ramp ? ""
               : absl::StrCat("the ramp of ", asked.text, " leads there: its owners take it back ",
                              "with `pinion channel ramp ", service_->name, " ",
                              asked.text.substr(1), " --stop`; ");
  return Refuse(
      Reason::kVersionNotAllowed,
      absl::StrCat("`", service_->name, "` ", version.name, ", which ", Asker(),
                   " asks for, is past its sunset: only pins that name it may still lead to it; ",
                   ramp,
                   successor.empty() ? "" : absl::StrCat("its successor is ", successor, "; "),
                   Advice(successor)),
      {{"version", version.name},
       {"successor", successor},
       {"available", absl::StrJoin(Nearest(version.name), ", ")}});
}

Refusal Decision::RefuseNotEntitled(const EntitlementEntry& entitlement) const {
  const VersionEntry& version = *version_;
  const std::vector<std::string> nearest = Nearest(version.name);
  const std::string consumer = ConsumerName(query_.consumer);
  const std::string text = Printable(entitlement.text, version::kMaxPinBytes);
  return Refuse(Reason::kVersionNotAllowed,
                absl::StrCat("`", service_->name, "` ", version.name, ", which ", Asker(),
                             " asks for, is none that consumer `", consumer,
                             "` may choose: its entitlement is `", text, "`, which allows ",
                             ListOrNone(nearest), "; ",
                             Advice(nearest.empty() ? "" : nearest.front()), "; the owners of `",
                             service_->name, "` can allow more, as in `pinion entitlement set ",
                             consumer, " ", service_->name, " '", text, " || ", version.name, "'`"),
                {{"version", version.name},
                 {"entitlement", text},
                 {"available", absl::StrJoin(nearest, ", ")}});
}

Refusal Decision::RefuseMethod(uint16_t method) const {
  const VersionEntry& version = *version_;
  const std::vector<std::string> having = Nearest(version.name, method);
  const std::string path = Printable(query_.method.full);
  const std::string who =
      having.empty() ? absl::StrCat("no version of `", service_->name,
                                    "` that may be called has it; check the ", "method's name")
                     : absl::StrCat("these versions have it: ", absl::StrJoin(having, ", "), "; ",
                                    Advice(having.front()));
  return Refuse(
      Reason::kMethodNotInVersion,
      absl::StrCat("`", service_->name, "` ", version.name, ", which ", Asker(),
                   " asks for, has no method `", path, "`; ", who),
      {{"version", version.name}, {"method", path}, {"available", absl::StrJoin(having, ", ")}});
}

}  // namespace pinion::route
