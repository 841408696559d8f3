#include "registry/compat/publication.h"

#include <algorithm>
#include <utility>

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/status_macros.h"
#include "google/rpc/error_details.pb.h"
#include "registry/compat/check.h"
#include "registry/model/breaking_names.h"
#include "registry/model/errors.h"
#include "registry/model/lifecycle.h"
#include "registry/model/validate.h"

namespace pinion::compat {
namespace {

using version::VersionName;

// A status travels in one header block, of which gRPC takes 8 KiB, and its message is in it twice.
constexpr size_t kMaxShown = 3;
constexpr size_t kMaxListedBytes = 2048;

std::string SchemaText(const routing::v1::Version& version) {
  return absl::StrCat(version.schema_digest().empty()
                          ? "without a schema"
                          : absl::StrCat("with schema ", version.schema_digest().substr(0, 12)),
                      " (", absl::StrJoin(GrpcServicesOf(version), ", "), ")");
}

// A version and the schema that it has.
struct Published {
  const VersionName& name;
  const google::protobuf::FileDescriptorSet& files;
  std::vector<std::string> grpc_services;
};

// The breaking findings between two versions. What cannot be compared is not taken for compatible.
absl::StatusOr<std::vector<Finding>> Breaks(const std::string& service, const Published& older,
                                            const Published& newer) {
  auto found = Check(older.files, newer.files, Category::kPinion,
                     {.served = Served{.before = older.grpc_services, .now = newer.grpc_services}});
  if (!found.ok()) {
    return model::Refusal(
        found.status().code(),
        absl::IsResourceExhausted(found.status()) ? "LIMIT_EXCEEDED" : "DESCRIPTOR_SET_MALFORMED",
        absl::StrCat("whether ", newer.name.text(), " of ", service, " keeps what ",
                     older.name.text(), " promises cannot be told: ", found.status().message(),
                     "; what is published under a name that declares a break (",
                     model::BreakingNameAfter(older.name), ") is not compared"),
        {{"service", service}, {"older", older.name.text()}, {"newer", newer.name.text()}});
  }
  std::vector<Finding> findings = *std::move(found);
  findings.erase(std::remove_if(findings.begin(), findings.end(),
                                [](const Finding& finding) {
                                  return finding.severity != Severity::kBreaking;
                                }),
                 findings.end());
  return findings;
}

}  // namespace

absl::StatusOr<routing::v1::Scheme> SchemeOfNewService(
    const registry::v1::PublishVersionRequest& request) {
  if (request.scheme() != routing::v1::SCHEME_UNSPECIFIED) return request.scheme();
  const routing::v1::Scheme guessed = model::GuessScheme(request.name());
  if (guessed != routing::v1::SCHEME_UNSPECIFIED) return guessed;
  return model::Refusal(
      absl::StatusCode::kInvalidArgument, "NAME_MALFORMED",
      absl::StrCat("version name '", request.name(),
                   "' is of no known form: write it like 1.0.0, 2026-11-23, v1 or 7, or state the "
                   "service's scheme"),
      {{"version", request.name()}});
}

routing::v1::Version AskedVersion(const registry::v1::PublishVersionRequest& request,
                                  const schema::Schema* schema) {
  routing::v1::Version version;
  version.set_service(request.service());
  version.set_name(request.name());
  version.set_state(routing::v1::PUBLISHED);
  if (schema == nullptr) return version;
  version.set_schema_digest(schema->digest());
  for (const schema::GrpcService& service : schema->services()) {
    routing::v1::GrpcMethods& methods = *version.add_methods();
    methods.set_grpc_service(service.name);
    for (const std::string& method : service.methods) methods.add_methods(method);
  }
  return version;
}

std::vector<std::string> GrpcServicesOf(const routing::v1::Version& version) {
  std::vector<std::string> names;
  for (const auto& methods : version.methods()) names.push_back(methods.grpc_service());
  return names;
}

absl::Status CheckIsSame(const registry::v1::Version& there, const routing::v1::Version& asked) {
  const routing::v1::Version& old = there.version();
  const bool same_services = GrpcServicesOf(old) == GrpcServicesOf(asked);
  const bool same = old.schema_digest() == asked.schema_digest() && same_services;
  if (same && old.state() == routing::v1::RETIRED) {
    return model::Refusal(absl::StatusCode::kFailedPrecondition, "VERSION_RETIRED",
                          absl::StrCat(model::VersionText(old),
                                       " is retired, and its name is never used again; publish it "
                                       "under a new name"),
                          {{"service", old.service()}, {"version", old.name()}});
  }
  if (same) return absl::OkStatus();
  return model::Refusal(
      absl::StatusCode::kAlreadyExists, "VERSION_EXISTS",
      absl::StrCat("version ", asked.name(), " of ", asked.service(), " was published by ",
                   there.meta().created_by(), " ", SchemaText(old), ", this one is ",
                   SchemaText(asked), "; versions never change: publish it under a new name"),
      {{"service", asked.service()},
       {"version", asked.name()},
       {"digest", old.schema_digest()},
       {"asked_digest", asked.schema_digest()}});
}

SchemaGate::SchemaGate(const routing::v1::Version& asked, VersionName name,
                       const google::protobuf::FileDescriptorSet& files,
                       std::vector<Waiver> waivers, absl::Time now)
    : service_(asked.service()),
      grpc_services_(GrpcServicesOf(asked)),
      name_(std::move(name)),
      files_(files),
      waivers_(std::move(waivers)),
      now_(now) {}

absl::StatusOr<bool> SchemaGate::Concerns(const routing::v1::Version& other) const {
  if (other.state() == routing::v1::RETIRED || other.schema_digest().empty()) return false;
  ASSIGN_OR_RETURN(const VersionName name, VersionName::Parse(name_.scheme(), other.name()));
  return name < name_ ? !model::NamesDeclareBreak(name, name_)
                      : !model::NamesDeclareBreak(name_, name);
}

absl::Status SchemaGate::Compare(const routing::v1::Version& other,
                                 absl::string_view descriptor_set) {
  ASSIGN_OR_RETURN(const VersionName name, VersionName::Parse(name_.scheme(), other.name()));
  ASSIGN_OR_RETURN(const auto files, schema::ReadFiles(descriptor_set));
  const bool other_is_older = name < name_;
  const VersionName& older = other_is_older ? name : name_;
  const VersionName& newer = other_is_older ? name_ : name;
  const Published there{name, files, GrpcServicesOf(other)};
  const Published asked{name_, files_, grpc_services_};
  ASSIGN_OR_RETURN(auto findings, other_is_older ? Breaks(service_, there, asked)
                                                 : Breaks(service_, asked, there));
  Waived result = ApplyWaivers(std::move(findings), waivers_,
                               {.from = older.text(), .to = newer.text(), .now = now_});
  for (const auto& [finding, waiver] : result.waived) {
    absl::StrAppend(&waived_, waived_.empty() ? "" : "\n", "waived for ", older.text(), " to ",
                    newer.text(), " by ", waiver.author(), " until ", waiver.expiry(), " (",
                    waiver.reason(), "): ", finding.rule, " ", finding.symbol);
  }
  for (Finding& finding : result.remaining) breaks_.push_back({older, newer, std::move(finding)});
  return absl::OkStatus();
}

absl::Status SchemaGate::Verdict() const { return breaks_.empty() ? absl::OkStatus() : Refusal(); }

absl::Status SchemaGate::Refusal() const {
  std::string shown;
  // As many findings as there is room for; the metadata has their number.
  google::rpc::PreconditionFailure failure;
  for (size_t i = 0; i < std::min(breaks_.size(), kMaxShown); ++i) {
    const Break& one = breaks_[i];
    absl::StrAppend(&shown, "\n  ", one.older.text(), " to ", one.newer.text(), ": ",
                    one.finding.rule, " ", one.finding.symbol, ": ", one.finding.message);
  }
  if (breaks_.size() > kMaxShown) {
    absl::StrAppend(&shown, "\n  and ", breaks_.size() - kMaxShown,
                    " more; pinion schema check lists them all");
  }
  for (const Break& one : breaks_) {
    auto& violation = *failure.add_violations();
    violation.set_type(one.finding.rule);
    violation.set_subject(
        absl::StrCat(one.older.text(), " to ", one.newer.text(), ": ", one.finding.symbol));
    violation.set_description(one.finding.message);
    if (failure.ByteSizeLong() <= kMaxListedBytes) continue;
    if (failure.violations_size() > 1) failure.mutable_violations()->RemoveLast();
    break;
  }
  absl::Status status = model::Refusal(
      absl::StatusCode::kFailedPrecondition, "SCHEMA_BREAKS",
      absl::StrCat("version ", name_.text(), " of ", service_,
                   " breaks what its name promises to keep: publish it under a name that says so (",
                   model::BreakingNameAfter(breaks_.front().older),
                   "), or with a waiver for each finding", shown),
      {{"service", service_},
       {"version", name_.text()},
       {"findings", absl::StrCat(breaks_.size())}});
  status.SetPayload(model::kPreconditionFailureUrl, absl::Cord(failure.SerializeAsString()));
  return status;
}

}  // namespace pinion::compat
