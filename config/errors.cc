#include "config/errors.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace pinion::config {
namespace {

// Of a key that a person mistyped, say: one message is one line, and no terminal obeys it.
std::string WithoutControls(const std::string& message) {
  std::string text;
  for (const char c : message) {
    const auto byte = static_cast<unsigned char>(c);
    if (absl::ascii_iscntrl(byte)) {
      absl::StrAppend(&text, "\\x", absl::Hex(byte, absl::kZeroPad2));
    } else {
      text += c;
    }
  }
  return text;
}

}  // namespace

void ErrorList::Add(Position position, const std::string& message) {
  if (errors_.size() == kMaxErrors) {
    ++dropped_;
    return;
  }
  errors_.push_back({position, WithoutControls(message)});
}

absl::Status ErrorList::ToStatus() const {
  if (errors_.empty()) return absl::OkStatus();
  std::vector<Error> sorted = errors_;
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const Error& a, const Error& b) { return a.position < b.position; });
  std::string text;
  for (const Error& error : sorted) {
    if (!text.empty()) text += '\n';
    absl::StrAppend(&text, filename_, ":");
    if (error.position.line > 0) {
      absl::StrAppend(&text, error.position.line, ":", error.position.column, ":");
    }
    absl::StrAppend(&text, " ", error.message);
  }
  if (dropped_ > 0) absl::StrAppend(&text, "\n", filename_, ": and ", dropped_, " more errors");
  return absl::InvalidArgumentError(text);
}

}  // namespace pinion::config
