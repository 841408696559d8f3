// Commands and answers as protobuf's JSON values.
#pragma once

#include <google/protobuf/struct.pb.h>

#include <map>
#include <string>

namespace driver {

using Json = google::protobuf::Struct;

inline std::string Text(const Json& json, const std::string& name,
                        const std::string& otherwise = "") {
  const auto it = json.fields().find(name);
  return it == json.fields().end() ? otherwise : it->second.string_value();
}

inline bool Flag(const Json& json, const std::string& name) {
  const auto it = json.fields().find(name);
  return it != json.fields().end() && it->second.bool_value();
}

inline double Number(const Json& json, const std::string& name, double otherwise) {
  const auto it = json.fields().find(name);
  return it == json.fields().end() ? otherwise : it->second.number_value();
}

inline std::map<std::string, std::string> Texts(const Json& json, const std::string& name) {
  std::map<std::string, std::string> texts;
  const auto it = json.fields().find(name);
  if (it == json.fields().end()) return texts;
  for (const auto& [key, value] : it->second.struct_value().fields()) {
    texts[key] = value.string_value();
  }
  return texts;
}

inline void Set(Json& json, const std::string& name, const std::string& text) {
  (*json.mutable_fields())[name].set_string_value(text);
}

inline void Set(Json& json, const std::string& name, double number) {
  (*json.mutable_fields())[name].set_number_value(number);
}

inline Json& Child(Json& json, const std::string& name) {
  return *(*json.mutable_fields())[name].mutable_struct_value();
}

}  // namespace driver
