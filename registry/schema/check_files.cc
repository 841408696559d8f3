#include "registry/schema/check_files.h"

#include <set>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"

namespace pinion::schema {
namespace {

using google::protobuf::DescriptorProto;
using google::protobuf::FieldDescriptorProto;
using google::protobuf::FileDescriptorProto;

constexpr size_t kMaxFindings = 50;

// Walks a set twice: first all names that it declares, then all that it refers to.
class Checker {
 public:
  explicit Checker(const google::protobuf::FileDescriptorSet& files) : files_(files) {}

  SetCheck Run() && {
    for (const FileDescriptorProto& file : files_.file()) Declare(file);
    for (const FileDescriptorProto& file : files_.file()) Refer(file);
    result_.missing_imports.assign(missing_.begin(), missing_.end());
    return std::move(result_);
  }

 private:
  void Report(const std::string& subject, std::string description) {
    if (result_.contradictions.size() < kMaxFindings) {
      result_.contradictions.push_back({subject, std::move(description)});
    }
  }

  void DeclareName(const std::string& full_name) {
    if (!names_.insert(full_name).second) Report(full_name, "is declared twice");
  }

  static std::string Join(const std::string& scope, const std::string& name) {
    return scope.empty() ? name : absl::StrCat(scope, ".", name);
  }

  void Declare(const FileDescriptorProto& file) {
    if (file.name().empty()) Report("a file", "has no name");
    if (!file_names_.insert(file.name()).second) Report(file.name(), "is in the set twice");
    for (const DescriptorProto& message : file.message_type()) Declare(file.package(), message);
    for (const auto& type : file.enum_type()) DeclareName(Join(file.package(), type.name()));
    for (const auto& service : file.service()) {
      if (service.name().empty()) Report(file.name(), "has a service without a name");
      DeclareName(Join(file.package(), service.name()));
    }
  }

  void Declare(const std::string& scope, const DescriptorProto& message) {
    const std::string full_name = Join(scope, message.name());
    if (message.name().empty()) Report(scope, "has a message without a name");
    DeclareName(full_name);
    for (const DescriptorProto& nested : message.nested_type()) Declare(full_name, nested);
    for (const auto& type : message.enum_type()) DeclareName(Join(full_name, type.name()));
  }

  void Refer(const FileDescriptorProto& file) {
    for (const std::string& import : file.dependency()) {
      if (!file_names_.contains(import)) missing_.insert(import);
    }
    for (const DescriptorProto& message : file.message_type()) Refer(file.package(), message);
    for (const FieldDescriptorProto& field : file.extension()) Refer(file.package(), field);
    for (const auto& service : file.service()) {
      absl::flat_hash_set<std::string> methods;
      for (const auto& method : service.method()) {
        const std::string full_name = Join(Join(file.package(), service.name()), method.name());
        if (method.name().empty()) Report(full_name, "is a method without a name");
        if (!methods.insert(method.name()).second) Report(full_name, "is declared twice");
        ReferTo(full_name, method.input_type());
        ReferTo(full_name, method.output_type());
      }
    }
  }

  void Refer(const std::string& scope, const DescriptorProto& message) {
    const std::string full_name = Join(scope, message.name());
    for (const FieldDescriptorProto& field : message.field()) Refer(full_name, field);
    for (const FieldDescriptorProto& field : message.extension()) Refer(full_name, field);
    for (const DescriptorProto& nested : message.nested_type()) Refer(full_name, nested);
  }

  void Refer(const std::string& scope, const FieldDescriptorProto& field) {
    if (field.has_type_name()) ReferTo(Join(scope, field.name()), field.type_name());
    if (field.has_extendee()) ReferTo(Join(scope, field.name()), field.extendee());
  }

  void ReferTo(const std::string& from, const std::string& type) {
    // A missing import says it all.
    if (!missing_.empty()) return;
    if (type.empty() || type[0] != '.') {
      Report(from,
             absl::StrCat("refers to '", type, "', which is not a full name (.package.Type)"));
    } else if (!names_.contains(type.substr(1))) {
      Report(from, absl::StrCat("refers to ", type, ", which is not in the set"));
    }
  }

  const google::protobuf::FileDescriptorSet& files_;
  absl::flat_hash_set<std::string> file_names_;
  absl::flat_hash_set<std::string> names_;
  std::set<std::string> missing_;
  SetCheck result_;
};

}  // namespace

SetCheck CheckFiles(const google::protobuf::FileDescriptorSet& files) {
  return Checker(files).Run();
}

}  // namespace pinion::schema
