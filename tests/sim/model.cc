#include "tests/sim/model.h"

#include <string_view>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace pinion::sim {
namespace {

constexpr int kInvalidArgument = 3;
constexpr int kUnimplemented = 12;

Decision Exact(const std::vector<VersionSpec>& versions, const std::string& name) {
  for (size_t i = 0; i < versions.size(); ++i) {
    if (NameOf(versions[i]) == name) return {.version = i};
  }
  return {.refusal_code = kUnimplemented};
}

Decision Caret(const std::vector<VersionSpec>& versions, int major) {
  std::optional<size_t> best;
  for (size_t i = 0; i < versions.size(); ++i) {
    if (versions[i].major != major) continue;
    if (!best.has_value() || versions[i].minor > versions[*best].minor) best = i;
  }
  if (best.has_value()) return {.version = best};
  return {.refusal_code = kUnimplemented};
}

}  // namespace

std::string NameOf(const VersionSpec& version) {
  return absl::StrCat(version.major, ".", version.minor, ".0");
}

Decision Decide(const std::vector<VersionSpec>& versions, const TableState& table,
                const Wanted& wanted) {
  if (wanted.unknown_service) return {.refusal_code = kUnimplemented};
  const auto pin = table.pins.find(wanted.consumer);
  std::string expression = "@stable";
  if (pin != table.pins.end()) expression = pin->second;
  if (!wanted.header.empty()) expression = wanted.header;
  if (expression == "@stable") return {.version = table.stable};
  int major;
  if (expression[0] == '^' && absl::SimpleAtoi(expression.substr(1), &major)) {
    return Caret(versions, major);
  }
  const std::vector<std::string> parts = absl::StrSplit(expression, '.');
  if (parts.size() == 3) return Exact(versions, expression);
  return {.refusal_code = kInvalidArgument};
}

}  // namespace pinion::sim
