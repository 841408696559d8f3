#include "config/version_schema.h"

#include <algorithm>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/read_file.h"
#include "base/status_macros.h"
#include "registry/schema/schema.h"

namespace pinion::config {
namespace {

std::vector<std::string> DeclaredIn(const google::protobuf::FileDescriptorSet& files) {
  std::vector<std::string> names;
  for (const auto& file : files.file()) {
    const std::string scope = file.package().empty() ? "" : absl::StrCat(file.package(), ".");
    for (const auto& service : file.service()) names.push_back(absl::StrCat(scope, service.name()));
  }
  std::sort(names.begin(), names.end());
  return names;
}

absl::StatusOr<VersionSchema> ParseSchema(const std::string& bytes,
                                          const v1::StaticService& service) {
  ASSIGN_OR_RETURN(schema::Schema parsed, schema::Schema::Parse(bytes));
  VersionSchema out;
  out.declared = DeclaredIn(parsed.files());
  std::vector<std::string> wanted;
  for (const std::string& name : service.grpc_services()) {
    if (std::binary_search(out.declared.begin(), out.declared.end(), name)) wanted.push_back(name);
  }
  if (!wanted.empty()) {
    ASSIGN_OR_RETURN(parsed, schema::Schema::Parse(bytes, wanted));
  } else if (!service.grpc_services().empty() || parsed.services().empty()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the descriptor set has none of the service's gRPC services; it has ",
        out.declared.empty() ? "no gRPC service at all" : absl::StrJoin(out.declared, ", ")));
  }
  out.digest = parsed.digest();
  for (const schema::GrpcService& from : parsed.services()) {
    routing::v1::GrpcMethods& to = out.services.emplace_back();
    to.set_grpc_service(from.name);
    to.mutable_methods()->Assign(from.methods.begin(), from.methods.end());
  }
  return out;
}

}  // namespace

absl::StatusOr<VersionSchema> ReadSchema(const v1::StaticService& service,
                                         const v1::StaticService::StaticVersion& version) {
  const std::string& path = version.descriptor_set_file();
  if (path.empty()) return VersionSchema{};
  const absl::StatusOr<std::string> bytes = ReadFile(path, schema::kMaxDescriptorSetBytes);
  if (!bytes.ok()) {
    return absl::InvalidArgumentError(absl::StrCat(path, " ", bytes.status().message()));
  }
  absl::StatusOr<VersionSchema> schema = ParseSchema(*bytes, service);
  if (schema.ok()) {
    schema->file_descriptor_set = *bytes;
    return schema;
  }
  return absl::InvalidArgumentError(absl::StrCat(path, ": ", schema.status().message()));
}

std::vector<std::string> ClaimedGrpcServices(const v1::StaticService& service,
                                             const std::vector<VersionSchema>& schemas) {
  std::set<std::string> names(service.grpc_services().begin(), service.grpc_services().end());
  if (names.empty()) {
    for (const VersionSchema& schema : schemas) {
      for (const auto& methods : schema.services) names.insert(methods.grpc_service());
    }
  }
  return {names.begin(), names.end()};
}

}  // namespace pinion::config
