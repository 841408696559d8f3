#include "registry/compat/finding.h"

#include <algorithm>
#include <tuple>

#include "absl/strings/str_cat.h"

namespace pinion::compat {

absl::string_view SeverityName(Severity severity) {
  switch (severity) {
    case Severity::kBreaking:
      return "breaking";
    case Severity::kDangerous:
      return "dangerous";
    case Severity::kNote:
      return "note";
  }
  return "breaking";
}

void SortFindings(std::vector<Finding>& findings) {
  const auto key = [](const Finding& f) {
    return std::tie(f.path, f.line, f.column, f.rule, f.symbol, f.message);
  };
  std::sort(findings.begin(), findings.end(),
            [&key](const Finding& a, const Finding& b) { return key(a) < key(b); });
  findings.erase(std::unique(findings.begin(), findings.end()), findings.end());
}

std::string FindingText(const Finding& finding) {
  std::string place = finding.path;
  if (finding.line > 0) absl::StrAppend(&place, ":", finding.line, ":", finding.column);
  return absl::StrCat(place, place.empty() ? "" : ": ", SeverityName(finding.severity), " ",
                      finding.rule, " ", finding.symbol, ": ", finding.message, "; ",
                      finding.advice);
}

}  // namespace pinion::compat
