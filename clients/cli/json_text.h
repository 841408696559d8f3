// Messages as text for programs: JSON, and YAML made of it. Pure; any thread.
#pragma once

#include <string>

#include "absl/strings/string_view.h"
#include "google/protobuf/message.h"

namespace pinion::cli {

// Proto-JSON that is the same for the same contents (maps sorted), with fields that have their
// default values. Ends with a newline.
std::string ToJson(const google::protobuf::Message& message);

// For a file that config/decode.h reads: the schema's own names, and only what is set.
std::string ToSchemaJson(const google::protobuf::Message& message);

// The same contents as YAML, one entry a line. Texts keep their quotes unless nobody could take
// them for anything else. REQUIRES: valid JSON.
std::string JsonToYaml(absl::string_view json);

}  // namespace pinion::cli
