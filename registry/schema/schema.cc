#include "registry/schema/schema.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/status_macros.h"
#include "google/rpc/error_details.pb.h"
#include "registry/model/errors.h"
#include "registry/schema/check_files.h"
#include "registry/schema/digest.h"

namespace pinion::schema {
namespace {

using google::protobuf::FileDescriptorProto;
using google::protobuf::FileDescriptorSet;

absl::Status Refuse(absl::string_view reason, std::string message, const std::string& type = "",
                    const std::vector<Finding>& findings = {}) {
  absl::Status status = model::Refusal(absl::StatusCode::kInvalidArgument, reason, message);
  if (findings.empty()) return status;
  google::rpc::PreconditionFailure failure;
  for (const Finding& finding : findings) {
    auto* violation = failure.add_violations();
    violation->set_type(type);
    violation->set_subject(finding.subject);
    violation->set_description(finding.description);
  }
  status.SetPayload(model::kPreconditionFailureUrl, absl::Cord(failure.SerializeAsString()));
  return status;
}

absl::Status CheckWhole(const FileDescriptorSet& files) {
  const SetCheck check = CheckFiles(files);
  if (!check.missing_imports.empty()) {
    std::vector<Finding> findings;
    for (const std::string& name : check.missing_imports)
      findings.push_back({name, "is imported, but missing"});
    return Refuse(
        "IMPORTS_MISSING",
        absl::StrCat("the descriptor set lacks ", absl::StrJoin(check.missing_imports, ", "),
                     ", which its files import: make it with protoc --include_imports "
                     "--descriptor_set_out=FILE, or with buf build"),
        "IMPORT", findings);
  }
  if (!check.contradictions.empty()) {
    const Finding& first = check.contradictions.front();
    return Refuse(
        "DESCRIPTOR_SET_MALFORMED",
        absl::StrCat("the descriptor set contradicts itself: ", first.subject, " ",
                     first.description, check.contradictions.size() > 1 ? ", and more" : "",
                     "; make it anew with protoc --include_imports --descriptor_set_out=FILE"),
        "DESCRIPTOR", check.contradictions);
  }
  return absl::OkStatus();
}

absl::StatusOr<FileDescriptorSet> ParseSet(absl::string_view bytes, size_t bytes_max) {
  if (bytes.size() > bytes_max) {
    return Refuse("DESCRIPTOR_SET_MALFORMED", absl::StrCat("the descriptor set has ", bytes.size(),
                                                           " bytes; at most ", bytes_max));
  }
  FileDescriptorSet files;
  const bool parsed = files.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()));
  // Any text or other message parses by luck at times, but then as fields that a set does not have.
  const bool plausible =
      parsed && files.file_size() > 0 && files.unknown_fields().empty() &&
      std::all_of(files.file().begin(), files.file().end(),
                  [](const FileDescriptorProto& f) { return !f.name().empty(); });
  if (!plausible) {
    return Refuse("DESCRIPTOR_SET_MALFORMED",
                  "this is not a FileDescriptorSet: make one with protoc --include_imports "
                  "--descriptor_set_out=FILE, or with buf build");
  }
  return files;
}

struct Declared {
  GrpcService service;
  std::string file;
  bool chosen = false;
};

std::vector<Declared> DeclaredServices(const FileDescriptorSet& files) {
  absl::flat_hash_set<std::string> imported;
  for (const FileDescriptorProto& file : files.file()) {
    imported.insert(file.dependency().begin(), file.dependency().end());
  }
  std::vector<Declared> declared;
  for (const FileDescriptorProto& file : files.file()) {
    const bool googles =
        absl::StartsWith(file.package(), "google.") && imported.contains(file.name());
    for (const auto& service : file.service()) {
      Declared& one = declared.emplace_back();
      one.file = file.name();
      one.service.name = file.package().empty() ? service.name()
                                                : absl::StrCat(file.package(), ".", service.name());
      for (const auto& method : service.method()) one.service.methods.push_back(method.name());
      one.chosen = !googles && !IsGatewaysOwn(one.service.name);
    }
  }
  return declared;
}

absl::Status Choose(std::vector<Declared>& declared, const std::vector<std::string>& wanted) {
  if (wanted.empty()) return absl::OkStatus();
  for (Declared& one : declared) one.chosen = false;
  for (const std::string& name : wanted) {
    const auto it = std::find_if(declared.begin(), declared.end(),
                                 [&name](const Declared& one) { return one.service.name == name; });
    if (it == declared.end()) {
      std::vector<std::string> names;
      for (const Declared& one : declared) names.push_back(one.service.name);
      return Refuse("ARGUMENT_INVALID",
                    absl::StrCat("the descriptor set has no gRPC service ", name, "; it has: ",
                                 names.empty() ? "none" : absl::StrJoin(names, ", ")));
    }
    if (IsGatewaysOwn(name)) {
      return Refuse("ARGUMENT_INVALID", absl::StrCat(name, " is answered by the gateway itself"));
    }
    it->chosen = true;
  }
  return absl::OkStatus();
}

}  // namespace

bool IsGatewaysOwn(absl::string_view grpc_service) {
  return absl::StartsWith(grpc_service, "grpc.health.v1.") ||
         absl::StartsWith(grpc_service, "grpc.reflection.");
}

absl::StatusOr<FileDescriptorSet> ReadFiles(absl::string_view bytes, size_t bytes_max) {
  ASSIGN_OR_RETURN(FileDescriptorSet files, ParseSet(bytes, bytes_max));
  RETURN_IF_ERROR(CheckWhole(files));
  return files;
}

std::vector<std::string> ServedByDefault(const FileDescriptorSet& files) {
  std::vector<std::string> names;
  for (Declared& one : DeclaredServices(files)) {
    if (one.chosen) names.push_back(std::move(one.service.name));
  }
  return names;
}

absl::StatusOr<Schema> Schema::Parse(absl::string_view bytes,
                                     const std::vector<std::string>& wanted) {
  Schema schema;
  ASSIGN_OR_RETURN(schema.files_, ReadFiles(bytes));
  std::vector<Declared> declared = DeclaredServices(schema.files_);
  RETURN_IF_ERROR(Choose(declared, wanted));
  std::vector<std::string> roots;
  for (Declared& one : declared) {
    if (!one.chosen) continue;
    roots.push_back(one.file);
    schema.services_.push_back(std::move(one.service));
  }
  std::sort(schema.services_.begin(), schema.services_.end(),
            [](const GrpcService& a, const GrpcService& b) { return a.name < b.name; });
  // A set without services (messages only, for a database or a topic) stands for all its files.
  if (roots.empty()) {
    for (const FileDescriptorProto& file : schema.files_.file()) roots.push_back(file.name());
  }
  schema.digest_ = DigestOfClosure(schema.files_, roots);
  return schema;
}

}  // namespace pinion::schema
