// A fuzz target: code that takes bytes of strangers, and inputs to begin with. Each source of this
// folder defines both functions once; linked with replay_main.cc it is an ordinary test, with
// libfuzzer_main.cc a fuzzer. Nothing here reads a clock or draws chance of its own, so an input
// always does the same.
#pragma once

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace pinion::fuzz {

// Inputs made by code, where text would hide what they are.
std::vector<std::string> Seeds();

// Ends the process (CHECK, sanitizer) when what must hold does not.
void Run(absl::string_view input);

// Takes an input apart from its front; everything is zero or empty behind its end.
class Input {
 public:
  explicit Input(absl::string_view bytes) : rest_(bytes) {}

  bool empty() const { return rest_.empty(); }
  absl::string_view rest() const { return rest_; }

  uint8_t Byte() {
    const absl::string_view byte = Take(1);
    return byte.empty() ? 0 : static_cast<uint8_t>(byte[0]);
  }

  // At most `size` bytes.
  absl::string_view Take(size_t size) {
    const absl::string_view bytes = rest_.substr(0, size);
    rest_.remove_prefix(bytes.size());
    return bytes;
  }

  // A length of two bytes, and as many bytes as that says.
  absl::string_view Piece() {
    const size_t high = Byte();
    return Take(high << 8 | Byte());
  }

 private:
  absl::string_view rest_;
};

// What Input::Piece() takes.
inline std::string Piece(absl::string_view bytes) {
  const std::string length = {static_cast<char>(bytes.size() >> 8),
                              static_cast<char>(bytes.size())};
  return length + std::string(bytes);
}

}  // namespace pinion::fuzz
