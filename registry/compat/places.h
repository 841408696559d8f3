// Where an element stands in its .proto file, as far as the descriptor set says so: which part of
// an element a finding points at is buf's choice, so that both name the same line. Pure.
#pragma once

#include <optional>

#include "registry/compat/elements.h"

namespace pinion::compat {

// From 1.
struct Place {
  const File* file = nullptr;
  int line = 0;
  int column = 0;
};

// Nullopt: the set has no source info for it (protoc writes it with --include_source_info).
std::optional<Place> PlaceAt(const File& file, const SourcePath& path);

std::optional<Place> PlaceOf(const Element& element);
// A map's entry type and its fields are written nowhere: the map field's type stands for them.
std::optional<Place> PlaceOf(const Message& message);
std::optional<Place> PlaceOf(const Field& field);
std::optional<Place> PlaceOfName(const Field& field);
std::optional<Place> PlaceOfType(const Field& field);
// A part of the element, by its number in the element's proto.
std::optional<Place> PlaceOfPart(const Element& element, int number);

// An option, or the statement that sets it together with others; `path` leads to the option from
// `options_at` parts on.
std::optional<Place> PlaceOfOption(const File& file, const SourcePath& path, size_t options_at);

}  // namespace pinion::compat
