#include "registry/service/schema_gate.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "google/rpc/error_details.pb.h"
#include "registry/compat/check.h"
#include "registry/compat/waivers.h"
#include "registry/model/breaking_names.h"
#include "registry/model/errors.h"
#include "registry/model/keys.h"
#include "registry/model/validate.h"
#include "registry/service/blobs.h"

namespace pinion::service {
namespace {

namespace v1 = registry::v1;
using version::VersionName;

// A status travels in one header block, of which gRPC takes 8 KiB, and its message is in it twice.
constexpr size_t kMaxShown = 3;
constexpr size_t kMaxListedBytes = 2048;

struct Break {
  VersionName older;
  VersionName newer;
  compat::Finding finding;
};

// As many findings as there is room for; the metadata has their number.
google::rpc::PreconditionFailure ToFailure(const std::vector<Break>& breaks) {
  google::rpc::PreconditionFailure failure;
  for (const Break& one : breaks) {
    auto& violation = *failure.add_violations();
    violation.set_type(one.finding.rule);
    violation.set_subject(
        absl::StrCat(one.older.text(), " to ", one.newer.text(), ": ", one.finding.symbol));
    violation.set_description(one.finding.message);
    if (failure.ByteSizeLong() <= kMaxListedBytes) continue;
    if (failure.violations_size() > 1) failure.mutable_violations()->RemoveLast();
    break;
  }
  return failure;
}

absl::Status Refuse(const v1::PublishVersionRequest& request, const std::vector<Break>& breaks) {
  std::string shown;
  for (size_t i = 0; i < std::min(breaks.size(), kMaxShown); ++i) {
    const Break& one = breaks[i];
    absl::StrAppend(&shown, "\n  ", one.older.text(), " to ", one.newer.text(), ": ",
                    one.finding.rule, " ", one.finding.symbol, ": ", one.finding.message);
  }
  if (breaks.size() > kMaxShown) {
    absl::StrAppend(&shown, "\n  and ", breaks.size() - kMaxShown,
                    " more; pinion schema check lists them all");
  }
  absl::Status status = model::Refusal(
      absl::StatusCode::kFailedPrecondition, "SCHEMA_BREAKS",
      absl::StrCat("version ", request.name(), " of ", request.service(),
                   " breaks what its name promises to keep: publish it under a name that says so (",
                   model::BreakingNameAfter(breaks.front().older),
                   "), or with a waiver for each finding", shown),
      {{"service", request.service()},
       {"version", request.name()},
       {"findings", absl::StrCat(breaks.size())}});
  status.SetPayload(model::kPreconditionFailureUrl,
                    absl::Cord(ToFailure(breaks).SerializeAsString()));
  return status;
}

absl::StatusOr<std::vector<compat::Waiver>> WaiversOf(const v1::PublishVersionRequest& request) {
  for (const compat::Waiver& waiver : request.waivers()) {
    const absl::Status status = compat::ValidateWaiver(waiver);
    if (!status.ok()) return model::WithReason(status, "ARGUMENT_INVALID");
  }
  return std::vector<compat::Waiver>(request.waivers().begin(), request.waivers().end());
}

// Every gateway numbers the methods of a service, those of all of its versions together.
absl::Status CheckMethods(const std::vector<Stored<v1::VersionRecord>>& records,
                          const std::string& service, const schema::Schema& schema) {
  absl::flat_hash_set<std::string> paths;
  const auto add = [&paths](const std::string& grpc_service, const auto& methods) {
    for (const std::string& method : methods) paths.insert(absl::StrCat(grpc_service, "/", method));
  };
  for (const auto& record : records) {
    for (const auto& one : record.value.version().version().methods()) {
      add(one.grpc_service(), one.methods());
    }
  }
  for (const schema::GrpcService& one : schema.services()) add(one.name, one.methods);
  if (paths.size() <= model::kMaxMethods) return absl::OkStatus();
  return model::Refusal(
      absl::StatusCode::kResourceExhausted, "LIMIT_EXCEEDED",
      absl::StrCat(service, " would have ", paths.size(),
                   " different methods over all of its versions, retired ones too; a gateway keeps "
                   "at most ",
                   model::kMaxMethods, " of one service: publish it as one of another name"),
      {{"service", service}});
}

// A version and the schema that it has.
struct Published {
  VersionName name;
  const google::protobuf::FileDescriptorSet& files;
};

// The breaking findings between two versions. What cannot be compared is not taken for compatible.
absl::StatusOr<std::vector<compat::Finding>> Breaks(const std::string& service,
                                                    const Published& older,
                                                    const Published& newer) {
  auto found = compat::Check(older.files, newer.files, compat::Category::kPinion);
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
  std::vector<compat::Finding> findings = *std::move(found);
  findings.erase(std::remove_if(findings.begin(), findings.end(),
                                [](const compat::Finding& finding) {
                                  return finding.severity != compat::Severity::kBreaking;
                                }),
                 findings.end());
  return findings;
}

}  // namespace

absl::StatusOr<std::string> CheckSchema(Draft& draft, const routing::v1::Service& service,
                                        const v1::PublishVersionRequest& request,
                                        const schema::Schema& schema) {
  ASSIGN_OR_RETURN(const VersionName name, VersionName::Parse(service.scheme(), request.name()));
  ASSIGN_OR_RETURN(const std::vector<compat::Waiver> waivers, WaiversOf(request));
  ASSIGN_OR_RETURN(const auto records,
                   draft.All<v1::VersionRecord>(model::VersionsOf(service.name())));
  RETURN_IF_ERROR(CheckMethods(records, service.name(), schema));
  std::vector<Break> breaks;
  std::string waived;
  for (const auto& record : records) {
    const routing::v1::Version& other = record.value.version().version();
    if (other.state() == routing::v1::RETIRED || record.value.blob_bytes() == 0) continue;
    ASSIGN_OR_RETURN(const VersionName other_name,
                     VersionName::Parse(service.scheme(), other.name()));
    const bool other_is_older = other_name < name;
    const VersionName& older = other_is_older ? other_name : name;
    const VersionName& newer = other_is_older ? name : other_name;
    if (model::NamesDeclareBreak(older, newer)) continue;
    ASSIGN_OR_RETURN(const std::string bytes, ReadBlob(draft, record.value));
    ASSIGN_OR_RETURN(const auto files, schema::ReadFiles(bytes));
    const Published there{other_name, files};
    const Published asked{name, schema.files()};
    ASSIGN_OR_RETURN(auto findings, other_is_older ? Breaks(service.name(), there, asked)
                                                   : Breaks(service.name(), asked, there));
    compat::Waived result =
        compat::ApplyWaivers(std::move(findings), waivers,
                             {.from = older.text(),
                              .to = newer.text(),
                              .now = absl::FromUnixSeconds(draft.now().seconds())});
    for (const auto& [finding, waiver] : result.waived) {
      absl::StrAppend(&waived, waived.empty() ? "" : "\n", "waived for ", older.text(), " to ",
                      newer.text(), " by ", waiver.author(), " until ", waiver.expiry(), " (",
                      waiver.reason(), "): ", finding.rule, " ", finding.symbol);
    }
    for (compat::Finding& finding : result.remaining) {
      breaks.push_back({older, newer, std::move(finding)});
    }
  }
  if (!breaks.empty()) return Refuse(request, breaks);
  return waived;
}

}  // namespace pinion::service
