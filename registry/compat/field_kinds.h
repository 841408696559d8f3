// Which types and cardinalities of fields may take each other's place. Pure.
#pragma once

#include <string>

#include "absl/strings/string_view.h"
#include "registry/compat/elements.h"

namespace pinion::compat {

// Kinds of one group have the same bytes; the numbers mean nothing else. string → bytes is the one
// change between groups that is fine, and only that way round.
int WireGroup(google::protobuf::FieldDescriptorProto::Type kind);
// The same bytes and the same JSON.
int WireJsonGroup(google::protobuf::FieldDescriptorProto::Type kind);

int WireGroup(Cardinality cardinality);
int WireJsonGroup(Cardinality cardinality);

absl::string_view KindText(google::protobuf::FieldDescriptorProto::Type kind);  // "int32"
std::string TypeText(const Field& field);  // "int32", "message acme.v1.Person"
absl::string_view CardinalityText(Cardinality cardinality);
// As set, or as protoc would fill it in.
std::string JsonNameOf(const Field& field);

}  // namespace pinion::compat
