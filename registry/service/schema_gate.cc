#include "registry/service/schema_gate.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "registry/compat/publication.h"
#include "registry/compat/waivers.h"
#include "registry/model/errors.h"
#include "registry/model/keys.h"
#include "registry/model/validate.h"
#include "registry/service/blobs.h"

namespace pinion::service {
namespace {

namespace v1 = registry::v1;
using version::VersionName;

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

}  // namespace

absl::StatusOr<std::string> CheckSchema(Draft& draft, const routing::v1::Service& service,
                                        const v1::PublishVersionRequest& request,
                                        const schema::Schema& schema) {
  ASSIGN_OR_RETURN(const VersionName name, VersionName::Parse(service.scheme(), request.name()));
  ASSIGN_OR_RETURN(std::vector<compat::Waiver> waivers, WaiversOf(request));
  ASSIGN_OR_RETURN(const auto records,
                   draft.All<v1::VersionRecord>(model::VersionsOf(service.name())));
  RETURN_IF_ERROR(CheckMethods(records, service.name(), schema));
  compat::SchemaGate gate(compat::AskedVersion(request, &schema), name, schema.files(),
                          std::move(waivers), absl::FromUnixSeconds(draft.now().seconds()));
  for (const auto& record : records) {
    const routing::v1::Version& other = record.value.version().version();
    ASSIGN_OR_RETURN(const bool concerns, gate.Concerns(other));
    if (!concerns) continue;
    ASSIGN_OR_RETURN(const std::string bytes, ReadBlob(draft, record.value));
    RETURN_IF_ERROR(gate.Compare(other, bytes));
  }
  RETURN_IF_ERROR(gate.Verdict());
  return gate.waived();
}

}  // namespace pinion::service
