// Descriptor sets: what publishers send, what instances show by reflection, and what the command
// line compares. An input is two of them, the older as a piece.
#include "registry/schema/schema.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "gateway/route/method_path.h"
#include "registry/compat/check.h"
#include "registry/model/validate.h"
#include "registry/probe/drift.h"
#include "tests/fuzz/target.h"

namespace pinion::fuzz {
namespace {

using google::protobuf::FieldDescriptorProto;
using google::protobuf::FileDescriptorProto;
using google::protobuf::FileDescriptorSet;

void AddField(google::protobuf::DescriptorProto& message, const std::string& name,
              FieldDescriptorProto::Type type, const std::string& type_name = "") {
  FieldDescriptorProto& field = *message.add_field();
  field.set_name(name);
  field.set_number(message.field_size());
  field.set_label(FieldDescriptorProto::LABEL_OPTIONAL);
  field.set_type(type);
  if (!type_name.empty()) field.set_type_name(type_name);
}

// A little of everything; `type` makes two of them differ.
std::string Set(FieldDescriptorProto::Type type) {
  FileDescriptorSet set;
  FileDescriptorProto& file = *set.add_file();
  file.set_name("a.proto");
  file.set_package("a.v1");
  file.set_syntax("proto2");
  auto& message = *file.add_message_type();
  message.set_name("M");
  message.add_oneof_decl()->set_name("o");
  AddField(message, "f", type);
  AddField(message, "m", FieldDescriptorProto::TYPE_MESSAGE, ".a.v1.M");
  AddField(message, "e", FieldDescriptorProto::TYPE_ENUM, ".a.v1.E");
  AddField(message, "map", FieldDescriptorProto::TYPE_MESSAGE, ".a.v1.M.MapEntry");
  message.mutable_field(0)->set_oneof_index(0);
  message.mutable_field(2)->set_default_value("Y");
  message.mutable_field(3)->set_label(FieldDescriptorProto::LABEL_REPEATED);
  message.add_reserved_range()->set_start(9);
  message.mutable_reserved_range(0)->set_end(12);
  auto& entry = *message.add_nested_type();
  entry.set_name("MapEntry");
  entry.mutable_options()->set_map_entry(true);
  AddField(entry, "key", FieldDescriptorProto::TYPE_STRING);
  AddField(entry, "value", type);
  auto& values = *file.add_enum_type();
  values.set_name("E");
  values.add_value()->set_name("X");
  values.mutable_value(0)->set_number(0);
  values.add_value()->set_name("Y");
  values.mutable_value(1)->set_number(static_cast<int>(type));
  auto& service = *file.add_service();
  service.set_name("S");
  auto& method = *service.add_method();
  method.set_name("F");
  method.set_input_type(".a.v1.M");
  method.set_output_type(".a.v1.M");
  auto& location = *file.mutable_source_code_info()->add_location();
  for (const int number : {4, 0, 2, 0}) location.add_path(number);
  for (const int number : {3, 2, 20}) location.add_span(number);
  return set.SerializeAsString();
}

// It goes into records and statuses.
void CheckText(absl::string_view text) { CHECK(model::ValidateText("", text, text.size()).ok()); }

bool IsRefusal(const absl::Status& status) {
  return absl::IsInvalidArgument(status) || absl::IsResourceExhausted(status);
}

void Compare(const FileDescriptorSet& before, const FileDescriptorSet& now) {
  for (const auto category :
       {compat::Category::kWire, compat::Category::kWireJson, compat::Category::kPinion}) {
    const auto findings = compat::Check(before, now, category);
    if (!findings.ok()) {
      CHECK(IsRefusal(findings.status()));
      CheckText(findings.status().message());
    } else if (category == compat::Category::kPinion) {
      for (const compat::Finding& finding : *findings) CheckText(compat::FindingText(finding));
    }
  }
}

}  // namespace

std::vector<std::string> Seeds() {
  const std::string set = Set(FieldDescriptorProto::TYPE_STRING);
  return {Piece(set) + set, Piece(set) + Set(FieldDescriptorProto::TYPE_SINT64)};
}

void Run(absl::string_view input) {
  Input bytes(input);
  const absl::StatusOr<schema::Schema> published = schema::Schema::Parse(bytes.Piece());
  const absl::StatusOr<FileDescriptorSet> shown = schema::ReadFiles(bytes.rest());
  for (const absl::Status& status : {published.status(), shown.status()}) {
    CHECK(status.ok() || absl::IsInvalidArgument(status));
    CheckText(status.message());
  }
  if (!published.ok()) return;
  for (const schema::GrpcService& service : published->services()) {
    for (const std::string& method : service.methods) {
      // What is published, gateways route by, and pins can name.
      const std::string path = absl::StrCat("/", service.name, "/", method);
      CHECK(route::ParseMethodPath(path).has_value() && model::ValidateMethod(path).ok());
    }
  }
  if (!shown.ok()) return;
  Compare(published->files(), *shown);
  Compare(*shown, published->files());
  const auto differences = probe::Differences(*published, *shown);
  CHECK(differences.ok() || IsRefusal(differences.status()));
  CheckText(differences.status().message());
  if (!differences.ok()) return;
  for (const std::string& difference : *differences) CheckText(difference);
}

}  // namespace pinion::fuzz
