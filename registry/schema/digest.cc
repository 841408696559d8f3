#include "registry/schema/digest.h"

#include <algorithm>
#include <map>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/deterministic_bytes.h"
#include "base/sha256.h"

namespace pinion::schema {
namespace {

using google::protobuf::DescriptorProto;
using google::protobuf::FieldDescriptorProto;
using google::protobuf::FileDescriptorProto;

void FillJsonName(FieldDescriptorProto& field) {
  if (!field.has_json_name()) field.set_json_name(JsonName(field.name()));
}

void FillJsonNames(DescriptorProto& message) {
  for (FieldDescriptorProto& field : *message.mutable_field()) FillJsonName(field);
  for (FieldDescriptorProto& field : *message.mutable_extension()) FillJsonName(field);
  for (DescriptorProto& nested : *message.mutable_nested_type()) FillJsonNames(nested);
}

FileDescriptorProto Canonical(FileDescriptorProto file) {
  file.clear_source_code_info();
  for (DescriptorProto& message : *file.mutable_message_type()) FillJsonNames(message);
  for (FieldDescriptorProto& field : *file.mutable_extension()) FillJsonName(field);
  return file;
}

}  // namespace

std::string JsonName(const std::string& field_name) {
  std::string json;
  bool capitalise = false;
  for (char c : field_name) {
    if (c == '_') {
      capitalise = true;
    } else {
      json.push_back(capitalise ? absl::ascii_toupper(static_cast<unsigned char>(c)) : c);
      capitalise = false;
    }
  }
  return json;
}

std::string DigestOfClosure(const google::protobuf::FileDescriptorSet& files,
                            const std::vector<std::string>& roots) {
  std::map<std::string, const FileDescriptorProto*> by_name;
  for (const FileDescriptorProto& file : files.file()) by_name[file.name()] = &file;
  std::map<std::string, const FileDescriptorProto*> closure;
  std::vector<std::string> open = roots;
  while (!open.empty()) {
    const std::string name = std::move(open.back());
    open.pop_back();
    const auto it = by_name.find(name);
    CHECK(it != by_name.end());
    if (!closure.emplace(name, it->second).second) continue;
    for (const std::string& import : it->second->dependency()) open.push_back(import);
  }
  Sha256 digest;
  for (const auto& [name, file] : closure) {
    const std::string bytes = DeterministicBytes(Canonical(*file));
    digest.Add(absl::StrCat(bytes.size(), ":"));
    digest.Add(bytes);
  }
  return digest.Hex();
}

}  // namespace pinion::schema
