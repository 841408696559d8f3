#include "registry/compat/packages.h"

#include <algorithm>

namespace pinion::compat {
namespace {

bool IsDigits(absl::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == absl::string_view::npos;
}

// Takes digits from the front; false: there are none.
bool TakeNumber(absl::string_view& text) {
  const size_t end = std::min(text.find_first_not_of("0123456789"), text.size());
  text.remove_prefix(end);
  return end > 0;
}

bool TakeWord(absl::string_view& text, absl::string_view word) {
  if (text.substr(0, word.size()) != word) return false;
  text.remove_prefix(word.size());
  return true;
}

}  // namespace

bool IsUnstablePackage(absl::string_view package) {
  absl::string_view part = package.substr(package.rfind('.') + 1);
  if (!TakeWord(part, "v") || !TakeNumber(part)) return false;
  if (TakeWord(part, "test")) return true;
  if (TakeWord(part, "p") && !TakeNumber(part)) return false;
  return (TakeWord(part, "alpha") || TakeWord(part, "beta")) && (part.empty() || IsDigits(part));
}

}  // namespace pinion::compat
