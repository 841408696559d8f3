#include "registry/compat/field_kinds.h"

#include <array>

#include "absl/strings/str_cat.h"
#include "registry/schema/digest.h"

namespace pinion::compat {
namespace {

using google::protobuf::FieldDescriptorProto;

// Groups are named by their first kind.
struct KindRow {
  absl::string_view text;
  int wire;
  int wire_json;
};

// By FieldDescriptorProto::Type, from TYPE_DOUBLE = 1 on.
constexpr std::array<KindRow, FieldDescriptorProto::Type_MAX + 1> kKinds = {{
    {"no type", 0, 0},  {"double", 1, 1},   {"float", 2, 2},    {"int64", 3, 3},
    {"uint64", 3, 3},   {"int32", 3, 5},    {"fixed64", 6, 6},  {"fixed32", 7, 7},
    {"bool", 3, 8},     {"string", 9, 9},   {"group", 10, 10},  {"message", 11, 11},
    {"bytes", 12, 12},  {"uint32", 3, 5},   {"enum", 14, 14},   {"sfixed32", 7, 7},
    {"sfixed64", 6, 6}, {"sint32", 17, 17}, {"sint64", 17, 18},
}};

}  // namespace

int WireGroup(FieldDescriptorProto::Type kind) { return kKinds[kind].wire; }
int WireJsonGroup(FieldDescriptorProto::Type kind) { return kKinds[kind].wire_json; }

int WireGroup(Cardinality cardinality) {
  switch (cardinality) {
    case Cardinality::kExplicit:
    case Cardinality::kImplicit:
      return 1;
    case Cardinality::kRequired:
      return 2;
    case Cardinality::kRepeated:
    case Cardinality::kMap:
      return 3;
  }
  return 0;
}

int WireJsonGroup(Cardinality cardinality) {
  return cardinality == Cardinality::kMap ? 4 : WireGroup(cardinality);
}

absl::string_view KindText(FieldDescriptorProto::Type kind) { return kKinds[kind].text; }

std::string TypeText(const Field& field) {
  const bool delimited = field.kind == FieldDescriptorProto::TYPE_GROUP &&
                         field.proto->type() == FieldDescriptorProto::TYPE_MESSAGE;
  const absl::string_view kind = delimited ? "delimited message" : KindText(field.kind);
  return field.type_name().empty() ? std::string(kind) : absl::StrCat(kind, " ", field.type_name());
}

absl::string_view CardinalityText(Cardinality cardinality) {
  switch (cardinality) {
    case Cardinality::kExplicit:
      return "optional with presence";
    case Cardinality::kImplicit:
      return "optional without presence";
    case Cardinality::kRequired:
      return "required";
    case Cardinality::kRepeated:
      return "repeated";
    case Cardinality::kMap:
      return "a map";
  }
  return "";
}

std::string JsonNameOf(const Field& field) {
  return field.proto->has_json_name() ? field.proto->json_name()
                                      : schema::JsonName(field.proto->name());
}

}  // namespace pinion::compat
