#include "registry/compat/elements.h"

#include <algorithm>
#include <array>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/status_macros.h"
#include "google/protobuf/unknown_field_set.h"
#include "registry/compat/packages.h"

namespace pinion::compat {
namespace {

using google::protobuf::DescriptorProto;
using google::protobuf::EnumDescriptorProto;
using google::protobuf::FieldDescriptorProto;
using google::protobuf::FileDescriptorProto;
using google::protobuf::ServiceDescriptorProto;
using google::protobuf::UnknownField;
using google::protobuf::UnknownFieldSet;

// What protobuf itself brings along. https://protobuf.dev/reference/protobuf/google.protobuf/
constexpr std::array<absl::string_view, 16> kWellKnownFiles = {
    "google/protobuf/any.proto",
    "google/protobuf/api.proto",
    "google/protobuf/c_sharp_features.proto",
    "google/protobuf/compiler/plugin.proto",
    "google/protobuf/cpp_features.proto",
    "google/protobuf/descriptor.proto",
    "google/protobuf/duration.proto",
    "google/protobuf/empty.proto",
    "google/protobuf/field_mask.proto",
    "google/protobuf/go_features.proto",
    "google/protobuf/java_features.proto",
    "google/protobuf/source_context.proto",
    "google/protobuf/struct.proto",
    "google/protobuf/timestamp.proto",
    "google/protobuf/type.proto",
    "google/protobuf/wrappers.proto",
};

// buf writes what it knows of a file as an extra field of it (buf.alpha.image.v1.ImageFile).
constexpr int kBufExtensionNumber = 8042;
constexpr int kBufIsImportNumber = 1;

bool IsMarkedAsImport(const FileDescriptorProto& file) {
  const UnknownFieldSet& fields = file.unknown_fields();
  for (int i = 0; i < fields.field_count(); ++i) {
    const UnknownField& field = fields.field(i);
    if (field.number() != kBufExtensionNumber ||
        field.type() != UnknownField::TYPE_LENGTH_DELIMITED) {
      continue;
    }
    UnknownFieldSet extension;
    if (!extension.ParseFromString(field.length_delimited())) continue;
    for (int j = 0; j < extension.field_count(); ++j) {
      const UnknownField& mark = extension.field(j);
      if (mark.number() == kBufIsImportNumber && mark.type() == UnknownField::TYPE_VARINT) {
        return mark.varint() != 0;
      }
    }
  }
  return false;
}

bool IsWellKnown(absl::string_view path) {
  return std::find(kWellKnownFiles.begin(), kWellKnownFiles.end(), path) != kWellKnownFiles.end();
}

std::string Join(absl::string_view scope, absl::string_view name) {
  return scope.empty() ? std::string(name) : absl::StrCat(scope, ".", name);
}

SourcePath Below(const SourcePath& path, int number, int index) {
  SourcePath below = path;
  below.push_back(number);
  below.push_back(index);
  return below;
}

bool CanBePacked(FieldDescriptorProto::Type kind) {
  switch (kind) {
    case FieldDescriptorProto::TYPE_STRING:
    case FieldDescriptorProto::TYPE_BYTES:
    case FieldDescriptorProto::TYPE_GROUP:
    case FieldDescriptorProto::TYPE_MESSAGE:
      return false;
    default:
      return true;
  }
}

}  // namespace

const google::protobuf::SourceCodeInfo::Location* File::FindLocation(const SourcePath& path) const {
  const auto& locations = proto->source_code_info().location();
  if (location_index.empty()) {
    for (int i = 0; i < locations.size(); ++i) location_index.try_emplace(locations[i].path(), i);
  }
  const auto it = location_index.find(absl::MakeConstSpan(path));
  return it == location_index.end() ? nullptr : &locations[it->second];
}

absl::string_view Field::type_name() const { return absl::StripPrefix(proto->type_name(), "."); }

const Message* Elements::FindMessage(absl::string_view full_name) const {
  const auto it = messages_by_name_.find(full_name);
  return it == messages_by_name_.end() ? nullptr : it->second;
}

const Enum* Elements::FindEnum(absl::string_view full_name) const {
  const auto it = enums_by_name_.find(full_name);
  return it == enums_by_name_.end() ? nullptr : it->second;
}

// Walks files down to their fields; a second pass over the fields needs all messages, for maps.
class ElementsBuilder {
 public:
  ElementsBuilder(Elements& out, bool exempt_unstable)
      : out_(out), exempt_unstable_(exempt_unstable) {}

  absl::Status Add(const FileDescriptorProto& proto) {
    File& file = out_.file_storage_.emplace_back();
    file.proto = &proto;
    ASSIGN_OR_RETURN(file.features, FileFeatures(proto));
    file.is_import = IsMarkedAsImport(proto);
    file.is_well_known = IsWellKnown(proto.name());
    file.is_exempt = exempt_unstable_ && IsUnstablePackage(proto.package());
    out_.files_by_path_.emplace(proto.name(), &file);
    const Scope top{&file, proto.package(), {}, file.features, nullptr};
    for (int i = 0; i < proto.message_type_size(); ++i) {
      RETURN_IF_ERROR(AddMessage(top, proto.message_type(i),
                                 {FileDescriptorProto::kMessageTypeFieldNumber, i}));
    }
    for (int i = 0; i < proto.enum_type_size(); ++i) {
      AddEnum(top, proto.enum_type(i), {FileDescriptorProto::kEnumTypeFieldNumber, i});
    }
    for (int i = 0; i < proto.extension_size(); ++i) {
      RETURN_IF_ERROR(
          AddExtension(top, proto.extension(i), {FileDescriptorProto::kExtensionFieldNumber, i}));
    }
    for (int i = 0; i < proto.service_size(); ++i) {
      AddService(top, proto.service(i), {FileDescriptorProto::kServiceFieldNumber, i});
    }
    return absl::OkStatus();
  }

  // When all files are added.
  void Resolve() {
    for (Field& field : out_.field_storage_) ResolveField(field);
    for (Message& message : out_.message_storage_) {
      const auto map = map_fields_.find(&message);
      if (map != map_fields_.end()) message.map_field = map->second;
    }
  }

 private:
  struct Scope {
    const File* file;
    std::string name;
    SourcePath path;
    Features features;
    const Message* message;  // nullptr: the file
  };

  template <typename T>
  static void Place(const Scope& scope, absl::string_view name, const SourcePath& path,
                    T& element) {
    element.file = scope.file;
    element.full_name = Join(scope.name, name);
    element.path = path;
  }

  absl::Status AddMessage(const Scope& outer, const DescriptorProto& proto,
                          const SourcePath& path) {
    Message& message = out_.message_storage_.emplace_back();
    Place(outer, proto.name(), path, message);
    message.proto = &proto;
    message.parent = outer.message;
    message.features = Inherit(outer.features, proto.options());
    out_.messages_by_name_.emplace(message.full_name, &message);
    const Scope scope{outer.file, message.full_name, path, message.features, &message};
    for (int i = 0; i < proto.field_size(); ++i) {
      const SourcePath below = Below(path, DescriptorProto::kFieldFieldNumber, i);
      const Field& field = AddField(scope, proto.field(i), below, &message);
      RETURN_IF_ERROR(CheckType(field));
      if (!message.fields.emplace(proto.field(i).number(), &field).second) {
        return absl::InvalidArgumentError(absl::StrCat(
            field.full_name, " has the number ", proto.field(i).number(), " of another field"));
      }
    }
    for (int i = 0; i < proto.nested_type_size(); ++i) {
      RETURN_IF_ERROR(AddMessage(scope, proto.nested_type(i),
                                 Below(path, DescriptorProto::kNestedTypeFieldNumber, i)));
    }
    for (int i = 0; i < proto.enum_type_size(); ++i) {
      AddEnum(scope, proto.enum_type(i), Below(path, DescriptorProto::kEnumTypeFieldNumber, i));
    }
    for (int i = 0; i < proto.extension_size(); ++i) {
      RETURN_IF_ERROR(AddExtension(scope, proto.extension(i),
                                   Below(path, DescriptorProto::kExtensionFieldNumber, i)));
    }
    return absl::OkStatus();
  }

  Field& AddField(const Scope& scope, const FieldDescriptorProto& proto, const SourcePath& path,
                  const Message* parent) {
    Field& field = out_.field_storage_.emplace_back();
    Place(scope, proto.name(), path, field);
    field.proto = &proto;
    field.parent = parent;
    Features features = scope.features;
    const int index = proto.oneof_index();
    if (parent != nullptr && proto.has_oneof_index() && index >= 0 &&
        index < parent->proto->oneof_decl_size()) {
      const auto& oneof = parent->proto->oneof_decl(index);
      features = Inherit(features, oneof.options());
      if (!proto.proto3_optional()) field.oneof = oneof.name();
    }
    field_features_.push_back(Inherit(features, proto.options()));
    return field;
  }

  static absl::Status CheckType(const Field& field) {
    if (field.proto->has_type()) return absl::OkStatus();
    return absl::InvalidArgumentError(absl::StrCat(field.full_name, " has no type"));
  }

  absl::Status AddExtension(const Scope& scope, const FieldDescriptorProto& proto,
                            const SourcePath& path) {
    const Field& field = AddField(scope, proto, path, nullptr);
    RETURN_IF_ERROR(CheckType(field));
    const absl::string_view extendee = absl::StripPrefix(proto.extendee(), ".");
    const auto [it, added] = out_.extensions_.emplace(std::pair(extendee, proto.number()), &field);
    if (!added) {
      return absl::InvalidArgumentError(absl::StrCat("extension ", field.full_name,
                                                     " has the number ", proto.number(), " of ",
                                                     it->second->full_name, " in ", extendee));
    }
    return absl::OkStatus();
  }

  void AddEnum(const Scope& scope, const EnumDescriptorProto& proto, const SourcePath& path) {
    Enum& type = out_.enum_storage_.emplace_back();
    Place(scope, proto.name(), path, type);
    type.proto = &proto;
    type.features = Inherit(scope.features, proto.options());
    for (const auto& value : proto.value()) type.values[value.number()].push_back(&value);
    out_.enums_by_name_.emplace(type.full_name, &type);
  }

  void AddService(const Scope& scope, const ServiceDescriptorProto& proto, const SourcePath& path) {
    Service& service = out_.service_storage_.emplace_back();
    Place(scope, proto.name(), path, service);
    service.proto = &proto;
    for (int i = 0; i < proto.method_size(); ++i) {
      Method& method = service.methods[proto.method(i).name()];
      Place(Scope{scope.file, service.full_name}, proto.method(i).name(),
            Below(path, ServiceDescriptorProto::kMethodFieldNumber, i), method);
      method.proto = &proto.method(i);
    }
    out_.services_by_name_.emplace(service.full_name, &service);
  }

  void ResolveField(Field& field) {
    const Features features = field_features_[resolved_++];
    const bool repeated = field.proto->label() == FieldDescriptorProto::LABEL_REPEATED;
    const Message* type = out_.FindMessage(field.type_name());
    const bool is_map = repeated && type != nullptr && type->is_map_entry();
    const bool in_map = field.parent != nullptr && field.parent->is_map_entry();
    if (is_map && field.parent == type->parent) map_fields_.try_emplace(type, &field);
    field.kind = field.proto->type();
    if (field.kind == FieldDescriptorProto::TYPE_MESSAGE && features.delimited_messages &&
        !is_map && !in_map) {
      field.kind = FieldDescriptorProto::TYPE_GROUP;
    }
    if (repeated) {
      field.cardinality = is_map ? Cardinality::kMap : Cardinality::kRepeated;
      field.packed = CanBePacked(field.kind) &&
                     (field.proto->options().has_packed() ? field.proto->options().packed()
                                                          : !features.expanded_repeated);
    } else if (field.proto->label() == FieldDescriptorProto::LABEL_REQUIRED ||
               features.presence == Features::Presence::kLegacyRequired) {
      field.cardinality = Cardinality::kRequired;
    } else {
      const bool presence = field.is_extension() || field.proto->has_oneof_index() ||
                            type != nullptr || features.presence == Features::Presence::kExplicit;
      field.cardinality = presence ? Cardinality::kExplicit : Cardinality::kImplicit;
    }
  }

  Elements& out_;
  const bool exempt_unstable_;
  std::vector<Features> field_features_;                          // in the order of field_storage_
  absl::flat_hash_map<const Message*, const Field*> map_fields_;  // by the type of their entries
  size_t resolved_ = 0;
};

absl::StatusOr<std::unique_ptr<const Elements>> Elements::Build(
    const google::protobuf::FileDescriptorSet& set, bool exempt_unstable) {
  std::unique_ptr<Elements> elements(new Elements());
  ElementsBuilder builder(*elements, exempt_unstable);
  for (const FileDescriptorProto& file : set.file()) RETURN_IF_ERROR(builder.Add(file));
  builder.Resolve();
  return std::unique_ptr<const Elements>(std::move(elements));
}

}  // namespace pinion::compat
