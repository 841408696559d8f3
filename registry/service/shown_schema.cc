#include "registry/service/shown_schema.h"

#include "absl/strings/str_cat.h"
#include "registry/probe/drift.h"
#include "registry/schema/schema.h"
#include "registry/service/blobs.h"

namespace pinion::service {
namespace {

using registry::v1::InstanceCheck;

Finding Unproven(const absl::Status& why) {
  return {.verdict = InstanceCheck::UNPROVEN, .message = std::string(why.message())};
}

}  // namespace

absl::StatusOr<Finding> JudgeShown(
    Registry& registry, const registry::v1::VersionRecord& record,
    const absl::StatusOr<google::protobuf::FileDescriptorSet>& shown) {
  if (!shown.ok()) return Unproven(shown.status());
  const routing::v1::Version& version = record.version().version();
  std::vector<std::string> services;
  for (const auto& methods : version.methods()) services.push_back(methods.grpc_service());
  const Finding ready{.verdict = InstanceCheck::READY};
  if (probe::ShownDigest(*shown, services) == version.schema_digest()) return ready;

  const Caller nobody;
  Draft draft(registry, nobody);
  ASSIGN_OR_RETURN(const std::string bytes, ReadBlob(draft, record));
  ASSIGN_OR_RETURN(const schema::Schema published, schema::Schema::Parse(bytes, services));
  absl::StatusOr<std::vector<std::string>> differences = probe::Differences(published, *shown);
  if (!differences.ok()) {
    return Unproven(absl::InvalidArgumentError(
        absl::StrCat("shows a schema that cannot be compared: ", differences.status().message())));
  }
  if (differences->empty()) return ready;
  Finding finding{.verdict = InstanceCheck::DRIFTED};
  finding.message = absl::StrCat("does not have the schema of ", version.service(), " ",
                                 version.name(), ": ", probe::DifferencesText(*differences));
  finding.differences = *std::move(differences);
  return finding;
}

}  // namespace pinion::service
