// What lies between two versions, for those who would move from the one to the other.
#include <algorithm>
#include <set>
#include <vector>

#include "absl/strings/str_cat.h"
#include "registry/compat/check.h"
#include "registry/compat/publication.h"
#include "registry/model/keys.h"
#include "registry/schema/schema.h"
#include "registry/service/blobs.h"
#include "registry/service/plan_moves.h"

namespace pinion::service {
namespace {

namespace v1 = registry::v1;

// Each compares two schemas, which may take some milliseconds.
constexpr size_t kMaxSteps = 10;
constexpr int kNamedFindings = 10;

std::set<std::string> MethodsOf(const routing::v1::Version& version) {
  std::set<std::string> methods;
  for (const auto& service : version.methods()) {
    for (const std::string& method : service.methods()) {
      methods.insert(absl::StrCat("/", service.grpc_service(), "/", method));
    }
  }
  return methods;
}

absl::Status AddFindings(Draft& draft, const v1::VersionRecord& before,
                         const v1::VersionRecord& after, v1::PlannedStep& step,
                         v1::PlanResponse& response) {
  if (before.blob_bytes() == 0 || after.blob_bytes() == 0) return absl::OkStatus();
  const compat::Served served{.before = compat::GrpcServicesOf(before.version().version()),
                              .now = compat::GrpcServicesOf(after.version().version())};
  if (before.blob_sha256() == after.blob_sha256() && served.before == served.now) {
    return absl::OkStatus();
  }
  ASSIGN_OR_RETURN(const std::string old_bytes, ReadBlob(draft, before));
  ASSIGN_OR_RETURN(const std::string new_bytes, ReadBlob(draft, after));
  ASSIGN_OR_RETURN(const auto old_files, schema::ReadFiles(old_bytes));
  ASSIGN_OR_RETURN(const auto new_files, schema::ReadFiles(new_bytes));
  const auto findings =
      compat::Check(old_files, new_files, compat::Category::kPinion, {.served = served});
  if (!findings.ok()) {
    // A plan that does not know this is still one.
    response.add_notes(absl::StrCat("what breaks from ", step.old_version(), " to ",
                                    step.new_version(),
                                    " is not known: ", findings.status().message()));
    return absl::OkStatus();
  }
  for (const compat::Finding& finding : *findings) {
    if (finding.severity == compat::Severity::kNote) continue;
    const bool breaking = finding.severity == compat::Severity::kBreaking;
    step.set_breaking(step.breaking() + (breaking ? 1 : 0));
    step.set_dangerous(step.dangerous() + (breaking ? 0 : 1));
    if (step.findings_size() == kNamedFindings) continue;
    step.add_findings(absl::StrCat(compat::SeverityName(finding.severity), ": ", finding.symbol,
                                   ": ", finding.message));
  }
  return absl::OkStatus();
}

absl::Status FillStep(Draft& draft, const std::string& service, v1::PlannedStep& step,
                      v1::PlanResponse& response) {
  if (step.new_version().empty()) return absl::OkStatus();
  ASSIGN_OR_RETURN(const int64_t instances,
                   draft.Count(model::InstancesOf(service, step.new_version())));
  step.set_instances(instances);
  if (step.old_version().empty()) return absl::OkStatus();
  ASSIGN_OR_RETURN(const auto before,
                   draft.Get<v1::VersionRecord>(model::VersionKey(service, step.old_version())));
  ASSIGN_OR_RETURN(const auto after,
                   draft.Get<v1::VersionRecord>(model::VersionKey(service, step.new_version())));
  if (!before.has_value() || !after.has_value()) return absl::OkStatus();
  const std::set<std::string> new_methods = MethodsOf(after->value.version().version());
  // Without descriptors nobody knows what it has.
  if (!new_methods.empty()) {
    for (const std::string& method : MethodsOf(before->value.version().version())) {
      if (!new_methods.contains(method)) step.add_missing_methods()->set_method(method);
    }
  }
  return AddFindings(draft, before->value, after->value, step, response);
}

}  // namespace

absl::Status AddSteps(Draft& draft, const std::string& service,
                      const std::map<std::pair<std::string, std::string>, int64_t>& pairs,
                      v1::PlanResponse& response) {
  std::vector<std::pair<std::pair<std::string, std::string>, int64_t>> sorted;
  for (const auto& pair : pairs) {
    if (pair.first.first != pair.first.second) sorted.push_back(pair);
  }
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  if (sorted.size() > kMaxSteps) sorted.resize(kMaxSteps);
  for (const auto& [versions, consumers] : sorted) {
    v1::PlannedStep& step = *response.add_steps();
    step.set_old_version(versions.first);
    step.set_new_version(versions.second);
    step.set_consumers(consumers);
    RETURN_IF_ERROR(FillStep(draft, service, step, response));
  }
  return absl::OkStatus();
}

}  // namespace pinion::service
