// Services and consumers of static_resources. Services come first: what a consumer refers to must
// be among them.
#include <google/protobuf/util/time_util.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "base/nearest.h"
#include "config/address.h"
#include "config/validate.h"
#include "config/version_schema.h"
#include "registry/model/lifecycle.h"
#include "registry/model/validate.h"
#include "registry/schema/schema.h"
#include "registry/version/expression.h"
#include "registry/version/names.h"
#include "registry/version/version_name.h"

namespace pinion::config {
namespace {

using routing::v1::Identity;
using v1::StaticConsumer;
using v1::StaticService;
using StaticVersion = StaticService::StaticVersion;

// Far above any use, and sums of weights stay within 64 bits.
constexpr uint32_t kMaxWeight = 1'000'000;
// A message names at most this many versions.
constexpr size_t kMaxVersionsInMessage = 10;

std::string Quoted(const std::string& text) { return absl::StrCat("\"", text, "\""); }

// What consumers may refer to.
struct KnownService {
  routing::v1::Scheme scheme = routing::v1::SCHEME_UNSPECIFIED;
  std::vector<version::VersionName> versions;
  std::vector<version::VersionState> states;
  std::vector<std::string> channels;
  std::vector<VersionSchema> schemas;
};

std::vector<std::string> VersionTexts(const KnownService& known) {
  std::vector<std::string> texts;
  for (const version::VersionName& name : known.versions) texts.push_back(name.text());
  return texts;
}

// ` (there are 1.0.0, 2.0.0)`
std::string ThereAre(std::vector<std::string> names) {
  if (names.empty()) return " (there are none)";
  const bool cut = names.size() > kMaxVersionsInMessage;
  if (cut) names.resize(kMaxVersionsInMessage);
  return absl::StrCat(names.size() == 1 ? " (there is " : " (there are ",
                      absl::StrJoin(names, ", "), cut ? ", …)" : ")");
}

// The likely name if there is one, else what there is.
std::string Hint(const std::string& name, const std::vector<std::string>& known) {
  std::string meant = DidYouMean(name, known);
  return meant.empty() ? ThereAre(known) : meant;
}

class ServiceValidator {
 public:
  using Known = std::map<std::string, KnownService>;
  // gRPC service → the service that claims it.
  using Claims = std::map<std::string, std::string>;

  ServiceValidator(Reporter report, Known& known, Claims& claims)
      : report_(report), known_(known), claims_(claims) {}

  void Run(const StaticService& service, const std::string& path) {
    if (!report_.Check(absl::StrCat(path, ".name"), version::ValidateServiceName(service.name()))) {
      return;
    }
    const auto [it, is_new] = known_.try_emplace(service.name());
    if (!is_new) {
      report_.AtValue(absl::StrCat(path, ".name"),
                      absl::StrCat("a second service named ", Quoted(service.name())));
      return;
    }
    KnownService& known = it->second;
    known.scheme = service.scheme();
    if (service.scheme() == routing::v1::SCHEME_UNSPECIFIED) {
      // Nothing that follows can be read without it.
      report_.AtValue(absl::StrCat(path, ".scheme"),
                      absl::StrCat("service ", Quoted(service.name()),
                                   " needs a scheme: SEMVER, DATE, K8S or INTEGER"));
      return;
    }
    for (int i = 0; i < service.versions_size(); ++i) {
      CheckVersion(service, service.versions(i), known, absl::StrCat(path, ".versions[", i, "]"));
    }
    if (service.versions().empty()) {
      report_.AtValue(absl::StrCat(path, ".versions"),
                      absl::StrCat("service ", Quoted(service.name()), " has no version"));
    }
    report_.Check(
        absl::StrCat(path, ".version_from_package"),
        model::ValidateVersionFromPackage(service.scheme(), service.version_from_package()));
    if (service.has_retry_policy()) {
      report_.Check(absl::StrCat(path, ".retry_policy"),
                    model::ValidateRetryPolicy(service.retry_policy()));
    }
    CheckSuccessors(service, known, path);
    CheckChannels(service, known, path);
    CheckClaims(service, known, path);
  }

 private:
  void CheckVersion(const StaticService& service, const StaticVersion& version, KnownService& known,
                    const std::string& path) {
    const auto name = version::VersionName::Parse(known.scheme, version.name());
    if (report_.Check(absl::StrCat(path, ".name"), name.status())) {
      if (std::find(known.versions.begin(), known.versions.end(), *name) != known.versions.end()) {
        report_.AtValue(absl::StrCat(path, ".name"),
                        absl::StrCat("a second version named ", Quoted(version.name())));
      }
      known.versions.push_back(*name);
      known.states.push_back(version.has_deprecation() ? routing::v1::DEPRECATED
                                                       : routing::v1::ACTIVE);
    }
    absl::flat_hash_set<std::string> addresses;
    for (int i = 0; i < version.instances_size(); ++i) {
      const std::string instance_path = absl::StrCat(path, ".instances[", i, "]");
      CheckInstance(version.instances(i), addresses, instance_path);
    }
    if (version.has_deprecation()) {
      CheckDeprecation(version.deprecation(), absl::StrCat(path, ".deprecation"));
    }
    auto schema = ReadSchema(service, version);
    report_.Check(absl::StrCat(path, ".descriptor_set_file"), schema.status());
    known.schemas.push_back(schema.ok() ? *std::move(schema) : VersionSchema{});
  }

  void CheckInstance(const StaticVersion::StaticInstance& instance,
                     absl::flat_hash_set<std::string>& addresses, const std::string& path) {
    std::string field;
    const absl::Status status = CheckAddress(instance.address(), AddressUse::kConnect, field);
    if (report_.Check(absl::StrCat(path, ".address", field), status) &&
        !addresses.insert(ToString(instance.address())).second) {
      report_.AtValue(
          absl::StrCat(path, ".address"),
          absl::StrCat("a second instance of this version at ", ToString(instance.address())));
    }
    if (!instance.tls_name().empty()) {
      report_.Check(absl::StrCat(path, ".tls_name"), CheckTlsName(instance.tls_name()));
    }
    if (instance.weight() > kMaxWeight) {
      report_.AtValue(absl::StrCat(path, ".weight"), absl::StrCat("at most ", kMaxWeight));
    }
  }

  void CheckDeprecation(const routing::v1::Deprecation& deprecation, const std::string& path) {
    if (!deprecation.has_time()) {
      report_.AtValue(path, "a deprecation needs its time");
    } else if (deprecation.has_sunset_time() && deprecation.sunset_time() < deprecation.time()) {
      report_.AtValue(absl::StrCat(path, ".sunset_time"),
                      "the sunset is before the deprecation (RFC 8594)");
    }
    report_.Check(absl::StrCat(path, ".link"), model::ValidateLink(deprecation.link()));
  }

  void CheckSuccessors(const StaticService& service, const KnownService& known,
                       const std::string& path) {
    const std::vector<std::string> names = VersionTexts(known);
    for (int i = 0; i < service.versions_size(); ++i) {
      const std::string& successor = service.versions(i).deprecation().successor();
      if (successor.empty()) continue;
      const std::string at = absl::StrCat(path, ".versions[", i, "].deprecation.successor");
      if (successor == service.versions(i).name()) {
        report_.AtValue(at, "a version cannot succeed itself");
      } else {
        CheckKnownVersion(service.name(), successor, names, at);
      }
    }
  }

  void CheckKnownVersion(const std::string& service, const std::string& name,
                         const std::vector<std::string>& names, const std::string& path) {
    if (std::find(names.begin(), names.end(), name) != names.end()) return;
    report_.AtValue(path, absl::StrCat("service ", Quoted(service), " has no version ",
                                       Quoted(name), Hint(name, names)));
  }

  void CheckChannels(const StaticService& service, KnownService& known, const std::string& path) {
    const std::vector<std::string> names = VersionTexts(known);
    known.channels.emplace_back(kDefaultChannel);
    for (const auto& [channel, version] : service.channels()) {
      const std::string at = absl::StrCat(path, ".channels[\"", channel, "\"]");
      if (report_.CheckKey(at, version::ValidateChannelName(channel)) &&
          channel != kDefaultChannel) {
        known.channels.push_back(channel);
      }
      CheckKnownVersion(service.name(), version, names, at);
    }
    std::string asked = service.unpinned().channel();
    std::string at = absl::StrCat(path, ".unpinned.channel");
    if (service.unpinned().has_pin_on_first_call()) {
      asked = service.unpinned().pin_on_first_call().channel();
      at = absl::StrCat(path, ".unpinned.pin_on_first_call.channel");
    }
    if (!asked.empty() &&
        std::find(known.channels.begin(), known.channels.end(), asked) == known.channels.end()) {
      report_.AtValue(at, absl::StrCat("service ", Quoted(service.name()), " has no channel ",
                                       Quoted(asked), Hint(asked, known.channels)));
    }
  }

  void CheckClaims(const StaticService& service, const KnownService& known,
                   const std::string& path) {
    for (int i = 0; i < service.grpc_services_size(); ++i) {
      const std::string& name = service.grpc_services(i);
      const std::string at = absl::StrCat(path, ".grpc_services[", i, "]");
      if (!IsGrpcServiceName(name)) {
        report_.AtValue(at,
                        absl::StrCat(Quoted(name),
                                     " is not a gRPC service's full name such as acme.v1.Orders"));
      } else if (schema::IsGatewaysOwn(name)) {
        report_.AtValue(at, absl::StrCat(name, " is answered by the gateway itself"));
      } else {
        Claim(service.name(), name, at);
        CheckDefined(service, known, name, at);
      }
    }
    if (!service.grpc_services().empty()) return;
    const std::vector<std::string> names = ClaimedGrpcServices(service, known.schemas);
    for (const std::string& name : names) Claim(service.name(), name, path);
    const bool any_set = std::any_of(
        service.versions().begin(), service.versions().end(),
        [](const StaticVersion& version) { return !version.descriptor_set_file().empty(); });
    // A set without any has been reported by itself.
    if (names.empty() && !any_set) {
      report_.AtValue(path, absl::StrCat("service ", Quoted(service.name()),
                                         " claims no gRPC service: list its grpc_services, or give "
                                         "its versions a descriptor_set_file"));
    }
  }

  static bool IsGrpcServiceName(const std::string& name) {
    for (absl::string_view part : absl::StrSplit(name, '.')) {
      if (part.empty() || absl::ascii_isdigit(static_cast<unsigned char>(part.front())))
        return false;
      for (const unsigned char c : part) {
        if (!absl::ascii_isalnum(c) && c != '_') return false;
      }
    }
    return true;
  }

  void Claim(const std::string& service, const std::string& grpc_service, const std::string& path) {
    const auto [it, first] = claims_.emplace(grpc_service, service);
    if (first) return;
    report_.AtValue(
        path, absl::StrCat(grpc_service,
                           it->second == service ? " is listed twice" : " is claimed by service ",
                           it->second == service ? "" : Quoted(it->second)));
  }

  // A claim that no version defines is a slip, if all of them say what they define.
  void CheckDefined(const StaticService& service, const KnownService& known,
                    const std::string& name, const std::string& path) {
    std::vector<std::string> declared;
    for (const VersionSchema& schema : known.schemas) {
      if (!schema.known()) return;
      declared.insert(declared.end(), schema.declared.begin(), schema.declared.end());
    }
    if (declared.empty() || std::find(declared.begin(), declared.end(), name) != declared.end()) {
      return;
    }
    report_.AtValue(path, absl::StrCat("no descriptor set of service ", Quoted(service.name()),
                                       " defines ", name, DidYouMean(name, declared)));
  }

  Reporter report_;
  Known& known_;
  Claims& claims_;
};

class ConsumerValidator {
 public:
  ConsumerValidator(Reporter report, const ServiceValidator::Known& known,
                    const ServiceValidator::Claims& claims)
      : report_(report), known_(known), claims_(claims) {}

  void Run(const StaticConsumer& consumer, const std::string& path) {
    const std::string name_path = absl::StrCat(path, ".name");
    if (!report_.Check(name_path, version::ValidateConsumerName(consumer.name()))) return;
    if (!names_.insert(consumer.name()).second) {
      report_.AtValue(name_path, absl::StrCat("a second consumer named ", Quoted(consumer.name())));
      return;
    }
    for (const auto& [service, expression] : consumer.pins()) {
      CheckPin(service, expression, absl::StrCat(path, ".pins[\"", service, "\"]"));
    }
    for (const auto& [method, expression] : consumer.method_pins()) {
      CheckMethodPin(method, expression, absl::StrCat(path, ".method_pins[\"", method, "\"]"));
    }
    CheckIdentities(consumer, path);
    CheckDefaultChannel(consumer.default_channel(), absl::StrCat(path, ".default_channel"));
  }

 private:
  void CheckPin(const std::string& service, const std::string& expression,
                const std::string& path) {
    const auto it = known_.find(service);
    if (it != known_.end()) return CheckExpression(service, it->second, expression, path);
    std::vector<std::string> names;
    for (const auto& [name, _] : known_) names.push_back(name);
    report_.AtKey(path,
                  absl::StrCat("there is no service ", Quoted(service), Hint(service, names)));
  }

  // A pin that cannot mean any version would refuse each of its calls, and no version joins a file
  // at run time.
  void CheckExpression(const std::string& service, const KnownService& known,
                       const std::string& text, const std::string& path) {
    if (known.scheme == routing::v1::SCHEME_UNSPECIFIED) return;
    const auto expression = version::Expression::Parse(known.scheme, text);
    if (!report_.Check(path, expression.status())) return;
    if (expression->kind() == version::Expression::Kind::kChannel) {
      const std::string channel(expression->channel());
      if (std::find(known.channels.begin(), known.channels.end(), channel) != known.channels.end())
        return;
      report_.AtValue(path, absl::StrCat("service ", Quoted(service), " has no channel ",
                                         Quoted(channel), Hint(channel, known.channels)));
      return;
    }
    std::vector<version::Candidate> candidates;
    for (size_t i = 0; i < known.versions.size(); ++i) {
      candidates.push_back({&known.versions[i], known.states[i]});
    }
    if (version::Resolve(*expression, candidates).has_value()) return;
    report_.AtValue(path, absl::StrCat("no version of ", Quoted(service), " matches ", Quoted(text),
                                       ThereAre(VersionTexts(known))));
  }

  void CheckMethodPin(const std::string& method, const std::string& expression,
                      const std::string& path) {
    const absl::Status shape = method.empty() ? absl::InvalidArgumentError("a method is missing")
                                              : model::ValidateMethod(method);
    if (!report_.CheckKey(path, shape)) return;
    const std::string grpc_service(model::GrpcServiceOf(method));
    const auto claim = claims_.find(grpc_service);
    if (claim == claims_.end()) {
      std::vector<std::string> names;
      for (const auto& [name, _] : claims_) names.push_back(name);
      report_.AtKey(
          path, absl::StrCat("no service claims ", grpc_service, DidYouMean(grpc_service, names)));
      return;
    }
    const KnownService& known = known_.at(claim->second);
    CheckMethodExists(known, grpc_service, method.substr(grpc_service.size() + 2), path);
    CheckExpression(claim->second, known, expression, path);
  }

  void CheckMethodExists(const KnownService& known, const std::string& grpc_service,
                         const std::string& method, const std::string& path) {
    std::vector<std::string> methods;
    for (const VersionSchema& schema : known.schemas) {
      if (!schema.known()) return;  // it may have any method
      for (const auto& service : schema.services) {
        if (service.grpc_service() != grpc_service) continue;
        methods.insert(methods.end(), service.methods().begin(), service.methods().end());
      }
    }
    if (std::find(methods.begin(), methods.end(), method) != methods.end()) return;
    report_.AtKey(path, absl::StrCat("no version of ", grpc_service, " has a method ",
                                     Quoted(method), DidYouMean(method, methods)));
  }

  void CheckIdentities(const StaticConsumer& consumer, const std::string& path) {
    bool has_trusted_header = false;
    for (int i = 0; i < consumer.identities_size(); ++i) {
      const Identity& identity = consumer.identities(i);
      has_trusted_header |= identity.has_trusted_header();
      const std::string at = absl::StrCat(path, ".identities[", i, "]");
      if (report_.Check(at, model::ValidateIdentity(identity))) Own(identity, consumer.name(), at);
    }
    if (has_trusted_header) return;
    Identity by_name;
    by_name.set_trusted_header(consumer.name());
    Own(by_name, consumer.name(), absl::StrCat(path, ".name"));
  }

  void Own(const Identity& identity, const std::string& consumer, const std::string& path) {
    const auto [it, first] = owners_.emplace(identity.SerializeAsString(), consumer);
    if (first) return;
    report_.AtValue(path,
                    it->second == consumer
                        ? "this identity is listed twice"
                        : absl::StrCat("this identity belongs to consumer ", Quoted(it->second)));
  }

  void CheckDefaultChannel(const std::string& channel, const std::string& path) {
    if (channel.empty()) return;
    if (!report_.Check(path, version::ValidateChannelName(channel))) return;
    std::set<std::string> channels;
    for (const auto& [_, known] : known_)
      channels.insert(known.channels.begin(), known.channels.end());
    if (channels.contains(channel)) return;
    report_.AtValue(path, absl::StrCat("no service has a channel ", Quoted(channel),
                                       DidYouMean(channel, {channels.begin(), channels.end()})));
  }

  Reporter report_;
  const ServiceValidator::Known& known_;
  const ServiceValidator::Claims& claims_;
  absl::flat_hash_set<std::string> names_;
  // Serialized identity → consumer.
  absl::flat_hash_map<std::string, std::string> owners_;
};

}  // namespace

void ValidateStaticResources(const v1::StaticResources& resources, Reporter report) {
  ServiceValidator::Known known;
  ServiceValidator::Claims claims;
  ServiceValidator services(report, known, claims);
  for (int i = 0; i < resources.services_size(); ++i) {
    services.Run(resources.services(i), absl::StrCat("static_resources.services[", i, "]"));
  }
  ConsumerValidator consumers(report, known, claims);
  for (int i = 0; i < resources.consumers_size(); ++i) {
    consumers.Run(resources.consumers(i), absl::StrCat("static_resources.consumers[", i, "]"));
  }
}

}  // namespace pinion::config
