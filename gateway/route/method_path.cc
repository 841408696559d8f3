#include "gateway/route/method_path.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "gateway/limits.h"

namespace pinion::route {

std::optional<MethodPath> ParseMethodPath(absl::string_view raw) {
  if (raw.size() > limits::kMaxMethodPathBytes || raw.empty() || raw.front() != '/') {
    return std::nullopt;
  }
  if (!std::all_of(raw.begin(), raw.end(), absl::ascii_isgraph)) return std::nullopt;
  const size_t slash = raw.find('/', 1);
  if (slash == absl::string_view::npos || slash == 1 || slash + 1 == raw.size()) {
    return std::nullopt;
  }
  if (raw.find('/', slash + 1) != absl::string_view::npos) return std::nullopt;
  return MethodPath{raw, raw.substr(1, slash - 1), raw.substr(slash + 1)};
}

absl::string_view WithoutQuery(absl::string_view raw) { return raw.substr(0, raw.find('?')); }

}  // namespace pinion::route
