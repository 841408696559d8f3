// What becomes of one value that a program wrote as one kind of field when another program reads it
// as another kind. Pure.
// https://protobuf.dev/programming-guides/proto3/#updating
#pragma once

#include <optional>

#include "absl/strings/string_view.h"
#include "registry/compat/elements.h"
#include "registry/compat/finding.h"

namespace pinion::compat {

struct Loss {
  Severity severity;
  absl::string_view text;  // continues "…: "
};

// Nullopt: it is read as it was written. Enums and messages of different types are not looked into.
// `reader_is_closed`: the reader's type is an enum that takes no numbers but its own.
std::optional<Loss> LossOfKind(google::protobuf::FieldDescriptorProto::Type written,
                               google::protobuf::FieldDescriptorProto::Type read,
                               bool reader_is_closed);

// REQUIRES: of the same kind, or of kinds that LossOfKind finds readable.
std::optional<Loss> LossOfCardinality(const Field& written, const Field& read);

}  // namespace pinion::compat
