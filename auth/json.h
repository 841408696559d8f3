// JSON of strangers, and what tokens and keys ask of it. Private to auth.
//
// By simdjson, and not by protobuf's reader: a token may be 8 KiB of anything, and a worker has
// microseconds for it.
#pragma once

#include <simdjson.h>

#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace pinion::auth {

using JsonObject = simdjson::dom::object;
using JsonValue = simdjson::dom::element;

class JsonReader {
 public:
  // nullopt: `text` is not one JSON object. Valid until the next call.
  std::optional<JsonObject> Read(absl::string_view text) {
    JsonObject object;
    if (parser_.parse(text.data(), text.size()).get(object) != simdjson::SUCCESS) {
      return std::nullopt;
    }
    return object;
  }

 private:
  simdjson::dom::parser parser_;
};

// Of several members with the same name the last (RFC 7519 §4); nullopt: there is none.
inline std::optional<JsonValue> Find(const JsonObject& object, absl::string_view name) {
  std::optional<JsonValue> found;
  for (const simdjson::dom::key_value_pair field : object) {
    if (absl::string_view(field.key.data(), field.key.size()) == name) found = field.value;
  }
  return found;
}

// nullopt: it is no text.
inline std::optional<std::string> TextOf(const JsonValue& value) {
  std::string_view text;
  if (value.get(text) != simdjson::SUCCESS) return std::nullopt;
  return std::string(text);
}

// nullopt: it is there and no text; "" when it is not there.
inline std::optional<std::string> TextOf(const JsonObject& object, absl::string_view name) {
  const std::optional<JsonValue> value = Find(object, name);
  return value.has_value() ? TextOf(*value) : "";
}

}  // namespace pinion::auth
