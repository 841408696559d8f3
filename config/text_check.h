// What must hold of a text before YAML can be read from it.
#pragma once

#include <cstddef>
#include <string_view>

#include "config/errors.h"

namespace pinion::config {

// Whether `text` is at most kMaxYamlBytes of UTF-8 without control characters but tab and line
// ends; adds the first fault otherwise. yaml-cpp checks neither: it takes U+0004 for the end of the
// file, and protobuf strings must be UTF-8.
bool CheckText(std::string_view text, ErrorList& errors);

// Bytes of the UTF-8 sequence that `text` begins with; 0 when that is none (overlong forms,
// surrogates and beyond U+10FFFF included). REQUIRES: text not empty.
size_t Utf8SequenceLength(std::string_view text);

}  // namespace pinion::config
