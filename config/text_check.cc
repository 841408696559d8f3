#include "config/text_check.h"

#include <cstdint>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "config/yaml_tree.h"

namespace pinion::config {

size_t Utf8SequenceLength(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
  const uint8_t first = byte(0);
  if (first < 0x80) return 1;
  const size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || text.size() < length) return 0;
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  if (first == 0xE0 && byte(1) < 0xA0) return 0;
  if (first == 0xED && byte(1) > 0x9F) return 0;
  if (first == 0xF0 && byte(1) < 0x90) return 0;
  if (first == 0xF4 && byte(1) > 0x8F) return 0;
  return length;
}

bool CheckText(std::string_view text, ErrorList& errors) {
  if (text.size() > kMaxYamlBytes) {
    errors.Add({}, absl::StrCat("larger than ", kMaxYamlBytes >> 20, " MiB"));
    return false;
  }
  Position position{1, 1};
  for (size_t i = 0; i < text.size();) {
    const auto byte = static_cast<uint8_t>(text[i]);
    const size_t length = Utf8SequenceLength(text.substr(i));
    if (length == 0) {
      errors.Add(position, absl::StrFormat("byte 0x%02X is not UTF-8", byte));
      return false;
    }
    if ((byte < 0x20 && byte != '\t' && byte != '\n' && byte != '\r') || byte == 0x7F) {
      errors.Add(position, absl::StrFormat("control character 0x%02X", byte));
      return false;
    }
    position.column += static_cast<int>(length);
    if (byte == '\n') position = {position.line + 1, 1};
    i += length;
  }
  return true;
}

}  // namespace pinion::config
