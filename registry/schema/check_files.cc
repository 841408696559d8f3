#include "registry/schema/check_files.h"

#include <algorithm>
#include <set>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "registry/model/validate.h"

namespace pinion::schema {
namespace {

using google::protobuf::DescriptorProto;
using google::protobuf::EnumDescriptorProto;
using google::protobuf::FieldDescriptorProto;
using google::protobuf::FileDescriptorProto;
using google::protobuf::ServiceDescriptorProto;

constexpr size_t kMaxFindings = 50;
// Of a full name: so that a method's path fits into the 512 bytes that a pin can name, and because
// each element is kept with the names of all that it is in.
constexpr size_t kMaxNameBytes = 511;
// As long as a path can be where protoc runs.
constexpr size_t kMaxFileNameBytes = 4096;

// As the language has it: a method's path is made of these, and findings quote them.
bool IsIdentifier(absl::string_view name) {
  return !name.empty() && !absl::ascii_isdigit(static_cast<unsigned char>(name[0])) &&
         std::all_of(name.begin(), name.end(),
                     [](unsigned char c) { return absl::ascii_isalnum(c) || c == '_'; });
}

bool IsPackage(absl::string_view package) {
  if (package.empty()) return true;
  const std::vector<absl::string_view> parts = absl::StrSplit(package, '.');
  return package.size() <= kMaxNameBytes && std::all_of(parts.begin(), parts.end(), &IsIdentifier);
}

bool IsText(absl::string_view text, size_t bytes_max) {
  return model::ValidateText("", text, bytes_max).ok();
}

// What may be anything, in a finding.
std::string Shown(absl::string_view text) {
  constexpr size_t kShown = 80;
  return absl::StrCat("'", absl::CHexEscape(text.substr(0, kShown)),
                      text.size() > kShown ? "..." : "", "'");
}

// Walks a set twice: first all names that it declares, then all that it refers to. A name that is
// none ends the first walk there, and spares the second.
class Checker {
 public:
  explicit Checker(const google::protobuf::FileDescriptorSet& files) : files_(files) {}

  SetCheck Run() && {
    for (const FileDescriptorProto& file : files_.file()) Declare(file);
    if (misnamed_) return std::move(result_);
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

  void Misnamed(const std::string& subject, std::string description) {
    Report(subject, std::move(description));
    misnamed_ = true;
  }

  void DeclareName(const std::string& full_name) {
    if (!names_.insert(full_name).second) Report(full_name, "is declared twice");
  }

  static std::string Join(const std::string& scope, const std::string& name) {
    return scope.empty() ? name : absl::StrCat(scope, ".", name);
  }

  // Whether `what`, "a message", can have this name in `scope`.
  bool CheckName(const std::string& scope, absl::string_view what, const std::string& name) {
    const std::string& subject = scope.empty() ? file_name_ : scope;
    if (name.empty()) {
      Misnamed(subject, absl::StrCat("has ", what, " without a name"));
      return false;
    }
    if (IsIdentifier(name) && scope.size() + name.size() < kMaxNameBytes) return true;
    Misnamed(subject, absl::StrCat("has ", what, " called ", Shown(name),
                                   ": a name is letters, digits and _, no digit first, and has at "
                                   "most ",
                                   kMaxNameBytes, " bytes with those that it is in"));
    return false;
  }

  void CheckFileName(const std::string& name, absl::string_view what) {
    if (IsText(name, kMaxFileNameBytes)) return;
    Misnamed("the set", absl::StrCat(what, " ", Shown(name), ", and a file's name is UTF-8 of at ",
                                     "most ", kMaxFileNameBytes, " bytes"));
  }

  void Declare(const FileDescriptorProto& file) {
    if (file.name().empty()) Report("a file", "has no name");
    CheckFileName(file.name(), "has a file");
    for (const std::string& import : file.dependency()) CheckFileName(import, "imports");
    if (misnamed_) return;
    file_name_ = file.name();
    if (!file_names_.insert(file.name()).second) Report(file.name(), "is in the set twice");
    const std::string& package = file.package();
    if (!IsPackage(package)) {
      return Misnamed(file.name(), absl::StrCat("has the package ", Shown(package),
                                                ", which is not a name such as acme.orders.v1"));
    }
    for (const DescriptorProto& message : file.message_type()) Declare(package, message);
    for (const EnumDescriptorProto& type : file.enum_type()) Declare(package, type);
    for (const FieldDescriptorProto& field : file.extension()) CheckField(package, 0, field);
    for (const ServiceDescriptorProto& service : file.service()) Declare(package, service);
  }

  void Declare(const std::string& scope, const DescriptorProto& message) {
    if (!CheckName(scope, "a message", message.name())) return;
    const std::string full_name = Join(scope, message.name());
    DeclareName(full_name);
    for (const auto& oneof : message.oneof_decl()) CheckName(full_name, "a oneof", oneof.name());
    for (const FieldDescriptorProto& field : message.field()) {
      CheckField(full_name, message.oneof_decl_size(), field);
    }
    for (const FieldDescriptorProto& field : message.extension()) CheckField(full_name, 0, field);
    for (const DescriptorProto& nested : message.nested_type()) Declare(full_name, nested);
    for (const EnumDescriptorProto& type : message.enum_type()) Declare(full_name, type);
  }

  void Declare(const std::string& scope, const EnumDescriptorProto& type) {
    if (!CheckName(scope, "an enum", type.name())) return;
    const std::string full_name = Join(scope, type.name());
    DeclareName(full_name);
    for (const auto& value : type.value()) CheckName(full_name, "a value", value.name());
  }

  void Declare(const std::string& scope, const ServiceDescriptorProto& service) {
    if (!CheckName(scope, "a service", service.name())) return;
    const std::string full_name = Join(scope, service.name());
    DeclareName(full_name);
    for (const auto& method : service.method()) CheckName(full_name, "a method", method.name());
  }

  // `oneofs`: how many its message has; those of others, as extensions are, have none to be in.
  void CheckField(const std::string& scope, int oneofs, const FieldDescriptorProto& field) {
    if (!CheckName(scope, "a field", field.name())) return;
    if (!IsText(field.json_name(), kMaxNameBytes)) {
      Misnamed(Join(scope, field.name()),
               absl::StrCat("has the json_name ", Shown(field.json_name()),
                            ", which is not UTF-8 of at most ", kMaxNameBytes, " bytes"));
    }
    const int oneof = field.oneof_index();
    if (!field.has_oneof_index() || (oneof >= 0 && oneof < oneofs)) return;
    Report(Join(scope, field.name()),
           absl::StrCat("is in oneof ", oneof, " of ", oneofs, ", counted from 0"));
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
             absl::StrCat("refers to ", Shown(type), ", which is not a full name (.package.Type)"));
    } else if (!names_.contains(type.substr(1))) {
      Report(from, absl::StrCat("refers to ", Shown(type), ", which is not in the set"));
    }
  }

  const google::protobuf::FileDescriptorSet& files_;
  absl::flat_hash_set<std::string> file_names_;
  absl::flat_hash_set<std::string> names_;
  std::set<std::string> missing_;
  std::string file_name_;  // of the file that is being declared
  bool misnamed_ = false;
  SetCheck result_;
};

}  // namespace

SetCheck CheckFiles(const google::protobuf::FileDescriptorSet& files) {
  return Checker(files).Run();
}

}  // namespace pinion::schema
