// From a service's resources to its ServiceEntry, reusing of the entry before what did not change.
#include <algorithm>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/time.h"
#include "gateway/route/expression_compiler.h"
#include "gateway/route/service_builder.h"

namespace pinion::route {
namespace {

using routing::v1::VersionState;

absl::Time TimeOf(const google::protobuf::Timestamp& time) {
  return absl::FromUnixSeconds(time.seconds());
}

// A file does not say in what state a version is: it is active from the start, and deprecated if a
// deprecation is given.
VersionState StateOf(const routing::v1::Version& version) {
  if (version.state() != routing::v1::VERSION_STATE_UNSPECIFIED) return version.state();
  return version.has_deprecation() ? routing::v1::DEPRECATED : routing::v1::ACTIVE;
}

void SetDeprecation(const routing::v1::Version& version, VersionEntry& entry) {
  const routing::v1::Deprecation& deprecation = version.deprecation();
  entry.successor = deprecation.successor();
  if (entry.state != routing::v1::DEPRECATED && entry.state != routing::v1::SUNSET) return;
  if (deprecation.has_time()) {
    entry.deprecation_header = absl::StrCat("@", deprecation.time().seconds());
  }
  if (deprecation.has_sunset_time()) {
    entry.sunset_header = absl::FormatTime("%a, %d %b %Y %H:%M:%S GMT",
                                           TimeOf(deprecation.sunset_time()), absl::UTCTimeZone());
  }
  if (!deprecation.link().empty()) {
    entry.link_header = absl::StrCat("<", deprecation.link(), ">; rel=\"successor-version\"");
  }
}

// `v2` of acme.v2.X, the last such part before the service's own name; empty: none.
absl::string_view PackageVersion(absl::string_view grpc_service) {
  std::vector<absl::string_view> parts = absl::StrSplit(grpc_service, '.');
  parts.pop_back();
  for (auto part = parts.rbegin(); part != parts.rend(); ++part) {
    const auto name = version::VersionName::Parse(routing::v1::K8S, *part);
    if (name.ok() && name->numbers()[0] != 0) return *part;
  }
  return {};
}

// What `v2` asks for under a scheme whose names look otherwise: any 2.x.y, or 2.
std::string PackageExpression(routing::v1::Scheme scheme, absl::string_view part) {
  uint64_t major = 0;
  if (scheme == routing::v1::K8S || !absl::SimpleAtoi(part.substr(1), &major)) {
    return std::string(part);
  }
  return absl::StrCat(scheme == routing::v1::SEMVER ? "^" : "", major);
}

// `compiled`, which still means the same versions, with the entries that these have in `service`:
// others if their instances changed. The same pointer if they did not.
std::shared_ptr<const ExpressionEntry> Relinked(
    const ServiceEntry& service, const std::shared_ptr<const ExpressionEntry>& compiled) {
  const auto now = [&service](const VersionEntry* before) {
    return before == nullptr ? nullptr : service.FindVersion(before->name);
  };
  const ExpressionEntry::Ramp* ramp = compiled->ramp.get();
  const VersionEntry* version = now(compiled->version);
  const VersionEntry* ramp_version = ramp == nullptr ? nullptr : now(ramp->version);
  const bool same_ramp = ramp == nullptr || ramp_version == ramp->version;
  if (version == compiled->version && same_ramp) return compiled;
  auto relinked = std::make_shared<ExpressionEntry>(*compiled);
  relinked->version = version;
  if (!same_ramp) {
    auto ramp_now = std::make_shared<ExpressionEntry::Ramp>(*ramp);
    ramp_now->version = ramp_version;
    relinked->ramp = std::move(ramp_now);
  }
  return relinked;
}

}  // namespace

std::shared_ptr<const VersionEntry> ServiceBuilder::CompileVersion(const std::string& name,
                                                                   VersionRecord& record) {
  auto parsed = version::VersionName::Parse(service_->scheme(), name);
  if (!parsed.ok()) return nullptr;
  if (record.compiled_instances == nullptr) {
    auto instances = std::make_shared<std::vector<InstanceEntry>>();
    for (const auto& [uid, instance] : record.instances) instances->push_back(instance);
    record.compiled_instances = std::move(instances);
  }
  auto entry = std::make_shared<VersionEntry>();
  entry->id = version_ids_(name);
  entry->service = name_;
  entry->name = name;
  entry->parsed = *std::move(parsed);
  entry->state = StateOf(*record.resource);
  entry->load_balancing = service_->load_balancing() == routing::v1::ROUND_ROBIN
                              ? routing::v1::ROUND_ROBIN
                              : routing::v1::LEAST_REQUEST;
  entry->retry = CompileRetryPolicy(service_->retry_policy());
  SetDeprecation(*record.resource, *entry);
  entry->instances = record.compiled_instances;
  entry->schema_digest = record.resource->schema_digest();
  entry->has_descriptors = record.has_descriptors;
  entry->method_bits = record.method_bits;
  return entry;
}

void ServiceBuilder::CompileVersions(ServiceEntry& entry) {
  for (auto& [name, record] : versions_) {
    if (!record.resource) continue;
    if (record.compiled == nullptr) record.compiled = CompileVersion(name, record);
    if (record.compiled != nullptr) entry.versions.push_back(record.compiled);
  }
  std::sort(entry.versions.begin(), entry.versions.end(),
            [](const auto& a, const auto& b) { return a->parsed > b->parsed; });
  for (const auto& version : entry.versions) {
    entry.versions_by_name.emplace(version->name, version.get());
  }
}

void ServiceBuilder::CompileChannels(ServiceEntry& entry) {
  for (const auto& [name, channel] : channels_) entry.channels.push_back(channel);
  for (const auto& [name, channel] : channels_) {
    entry.channel_expressions.push_back(CompileExpression(entry, absl::StrCat("@", name), nullptr));
  }
}

void ServiceBuilder::CompileExpressions(ServiceEntry& entry) {
  entry.expressions.reserve(expressions_.size());
  for (ExpressionRecord& record : expressions_) {
    if (record.holders == 0) {
      entry.expressions.push_back(nullptr);
      continue;
    }
    if (record.compiled == nullptr) {
      const auto recorded = resolutions_.find(Canonical(record.text));
      record.compiled = CompileExpression(
          entry, record.text, recorded == resolutions_.end() ? nullptr : &recorded->second);
    } else {
      record.compiled = Relinked(entry, record.compiled);
    }
    entry.expressions.push_back(record.compiled);
    entry.expressions_by_text.emplace(record.compiled->text, record.compiled.get());
  }
}

void ServiceBuilder::CompilePolicy(ServiceEntry& entry) {
  const routing::v1::UnpinnedPolicy& policy = service_->unpinned();
  if (!policy.has_reject()) {
    const std::string& channel =
        policy.has_pin_on_first_call() ? policy.pin_on_first_call().channel() : policy.channel();
    entry.unpinned =
        CompileExpression(entry, absl::StrCat("@", channel.empty() ? "stable" : channel), nullptr);
    entry.pin_on_first_call = policy.has_pin_on_first_call();
  }
  if (!service_->version_from_package()) return;
  for (const std::string& grpc_service : entry.grpc_services) {
    const absl::string_view part = PackageVersion(grpc_service);
    if (part.empty()) {
      entry.package_expressions.push_back(nullptr);
      continue;
    }
    const std::string expression = PackageExpression(entry.scheme, part);
    const auto recorded = resolutions_.find(expression);
    entry.package_expressions.push_back(CompileExpression(
        entry, expression, recorded == resolutions_.end() ? nullptr : &recorded->second));
  }
}

void ServiceBuilder::CompileEntitlements(ServiceEntry& entry) {
  if (compiled_entitlements_ == nullptr) {
    auto all = std::make_shared<EntitlementMap>();
    for (auto& [consumer, record] : entitlements_) {
      if (record.compiled == nullptr) {
        auto compiled = std::make_shared<EntitlementEntry>();
        compiled->text = record.expression;
        // What this scheme does not read allows nothing.
        auto expression = version::Expression::Parse(entry.scheme, record.expression);
        if (expression.ok()) compiled->expression = *std::move(expression);
        record.compiled = std::move(compiled);
      }
      all->emplace(consumer, record.compiled);
    }
    compiled_entitlements_ = std::move(all);
  }
  entry.entitlements = compiled_entitlements_;
}

std::shared_ptr<const ServiceEntry> ServiceBuilder::Compile() {
  is_changed_ = false;
  if (!service_) {
    for (ExpressionRecord& record : expressions_) record.compiled = nullptr;
    return entry_ = nullptr;
  }
  if (compiled_methods_ == nullptr) {
    compiled_methods_ = std::make_shared<absl::flat_hash_map<std::string, uint16_t>>(methods_);
  }
  auto entry = std::make_shared<ServiceEntry>();
  entry->id = id_;
  entry->name = name_;
  entry->scheme = service_->scheme();
  entry->grpc_services.assign(service_->grpc_services().begin(), service_->grpc_services().end());
  entry->methods = compiled_methods_;
  entry->has_method_pins = method_pins_ > 0;
  CompileVersions(*entry);
  CompileChannels(*entry);
  CompileExpressions(*entry);
  CompilePolicy(*entry);
  CompileEntitlements(*entry);
  // The entry before goes only now: expressions compiled for it were still looked at.
  return entry_ = std::move(entry);
}

}  // namespace pinion::route
