#include "registry/compat/places.h"

#include <algorithm>
#include <iterator>
#include <limits>

namespace pinion::compat {
namespace {

using google::protobuf::FieldDescriptorProto;
using google::protobuf::SourceCodeInfo;

SourcePath With(SourcePath path, int number) {
  path.push_back(number);
  return path;
}

std::optional<Place> PlaceIn(const File& file, const SourceCodeInfo::Location& location) {
  // Line and column of the start, from 0; then of the end.
  if (location.span_size() < 3) return std::nullopt;
  constexpr int kEnd = std::numeric_limits<int>::max();
  if (location.span(0) == kEnd || location.span(1) == kEnd) return std::nullopt;
  return Place{&file, location.span(0) + 1, location.span(1) + 1};
}

// Whether `path` begins with `start`.
template <typename Path, typename Start>
bool BeginsWith(const Path& path, const Start& start) {
  return std::distance(path.begin(), path.end()) >= std::distance(start.begin(), start.end()) &&
         std::equal(start.begin(), start.end(), path.begin());
}

bool HasNamedType(const Field& field) {
  return field.kind == FieldDescriptorProto::TYPE_MESSAGE ||
         field.kind == FieldDescriptorProto::TYPE_GROUP ||
         field.kind == FieldDescriptorProto::TYPE_ENUM;
}

// Of the map field whose entries `message` are.
std::optional<Place> PlaceOfMap(const Message& message) {
  return message.map_field == nullptr ? std::nullopt : PlaceOfType(*message.map_field);
}

std::optional<Place> Or(std::optional<Place> place, const Field& field) {
  return place || field.parent == nullptr ? place : PlaceOfMap(*field.parent);
}

}  // namespace

std::optional<Place> PlaceAt(const File& file, const SourcePath& path) {
  const SourceCodeInfo::Location* location = file.FindLocation(path);
  return location == nullptr ? std::nullopt : PlaceIn(file, *location);
}

std::optional<Place> PlaceOf(const Element& element) {
  return PlaceAt(*element.file, element.path);
}

std::optional<Place> PlaceOf(const Message& message) {
  const auto place = PlaceAt(*message.file, message.path);
  return place ? place : PlaceOfMap(message);
}

std::optional<Place> PlaceOf(const Field& field) {
  return Or(PlaceAt(*field.file, field.path), field);
}

std::optional<Place> PlaceOfName(const Field& field) {
  const auto name = PlaceOfPart(field, FieldDescriptorProto::kNameFieldNumber);
  return name ? name : PlaceOf(field);
}

std::optional<Place> PlaceOfType(const Field& field) {
  const int number = HasNamedType(field) ? FieldDescriptorProto::kTypeNameFieldNumber
                                         : FieldDescriptorProto::kTypeFieldNumber;
  return Or(PlaceOfPart(field, number), field);
}

std::optional<Place> PlaceOfPart(const Element& element, int number) {
  return PlaceAt(*element.file, With(element.path, number));
}

std::optional<Place> PlaceOfOption(const File& file, const SourcePath& path, size_t options_at) {
  if (const auto place = PlaceAt(file, path)) return place;
  const SourceCodeInfo::Location* best = nullptr;
  for (const SourceCodeInfo::Location& location : file.proto->source_code_info().location()) {
    const auto& there = location.path();
    if (BeginsWith(there, path)) return PlaceIn(file, location);
    if (there.size() >= static_cast<int>(options_at) && BeginsWith(path, there) &&
        (best == nullptr || there.size() > best->path_size())) {
      best = &location;
    }
  }
  return best == nullptr ? std::nullopt : PlaceIn(file, *best);
}

}  // namespace pinion::compat
