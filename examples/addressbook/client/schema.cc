#include "examples/addressbook/client/schema.h"

#include <google/protobuf/descriptor.pb.h>

#include <fstream>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace addressbook {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::MethodDescriptor;

constexpr char kGrpcService[] = "acme.AddressBook";

}  // namespace

absl::StatusOr<std::unique_ptr<Schema>> Schema::Load(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  google::protobuf::FileDescriptorSet set;
  if (!file || !set.ParseFromIstream(&file)) {
    return absl::InvalidArgumentError(absl::StrCat(path, " is not a descriptor set"));
  }
  auto schema = absl::WrapUnique(new Schema);
  for (const auto& proto : set.file()) {
    if (schema->pool_.BuildFile(proto) == nullptr) {
      return absl::InvalidArgumentError(absl::StrCat(path, ": bad file ", proto.name()));
    }
  }
  schema->service_ = schema->pool_.FindServiceByName(kGrpcService);
  if (schema->service_ == nullptr) {
    return absl::InvalidArgumentError(absl::StrCat(path, " does not hold ", kGrpcService));
  }
  return schema;
}

const MethodDescriptor* Schema::FindMethod(const std::string& name) const {
  return service_->FindMethodByName(name);
}

std::unique_ptr<Message> Schema::NewRequest(const MethodDescriptor& method) const {
  return std::unique_ptr<Message>(messages_.GetPrototype(method.input_type())->New());
}

std::unique_ptr<Message> Schema::NewResponse(const MethodDescriptor& method) const {
  return std::unique_ptr<Message>(messages_.GetPrototype(method.output_type())->New());
}

absl::Status SetFields(const Fields& fields, Message& message) {
  const Descriptor& type = *message.GetDescriptor();
  if (const FieldDescriptor* contact = type.FindFieldByName("contact"); contact != nullptr) {
    return SetFields(fields, *message.GetReflection()->MutableMessage(&message, contact));
  }
  for (const auto& [name, value] : fields) {
    const FieldDescriptor* field = type.FindFieldByName(name);
    if (field == nullptr || field->cpp_type() != FieldDescriptor::CPPTYPE_STRING) {
      std::vector<std::string> known;
      for (int i = 0; i < type.field_count(); ++i) known.push_back(type.field(i)->name());
      return absl::InvalidArgumentError(absl::StrCat("this schema's ", type.name(),
                                                     " has no field '", name,
                                                     "'; it has: ", absl::StrJoin(known, ", ")));
    }
    message.GetReflection()->SetString(&message, field, value);
  }
  return absl::OkStatus();
}

Fields GetFields(const Message& message) {
  Fields fields;
  const Descriptor& type = *message.GetDescriptor();
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor* field = type.field(i);
    if (field->cpp_type() != FieldDescriptor::CPPTYPE_STRING) continue;
    fields[field->name()] = message.GetReflection()->GetString(message, field);
  }
  return fields;
}

}  // namespace addressbook
