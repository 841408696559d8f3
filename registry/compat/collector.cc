#include "registry/compat/collector.h"

#include <algorithm>
#include <array>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "registry/compat/advice.h"

namespace pinion::compat {
namespace {

// Of a finding that several become. A type may meet thousands of others.
constexpr size_t kMaxMessageBytes = 4096;

struct RuleRow {
  absl::string_view id;
  absl::string_view advice;
};

constexpr absl::string_view kKeepField =
    "keep it, marked as deprecated, until nobody sends or reads it; then reserve its number";

// Every rule of PINION. Where one has the name of a standard rule it is about the same change, but
// looks at who writes and who reads.
constexpr std::array<RuleRow, 21> kRules = {{
    {"ENUM_VALUE_NO_DELETE", "keep it, marked as deprecated, until nobody sends it"},
    {"ENUM_VALUE_NO_DELETE_UNLESS_NUMBER_RESERVED",
     "keep it, or reserve its number when nobody sends it any more"},
    {"ENUM_VALUE_SAME_NUMBER", "leave each name its number, and add new values under new ones"},
    {"FIELD_NO_DELETE", kKeepField},
    {"FIELD_NO_DELETE_UNLESS_NUMBER_RESERVED",
     "keep it, or reserve its number when nobody sends or reads it any more"},
    {"FIELD_SAME_DEFAULT", kKeepDefault},
    {"FIELD_SAME_NUMBER", "leave each name its number, and add new fields under new ones"},
    {"FIELD_SAME_ONEOF", kNewField},
    {"FIELD_WIRE_COMPATIBLE_CARDINALITY", kNewField},
    {"FIELD_WIRE_COMPATIBLE_TYPE", kNewField},
    {"MESSAGE_SAME_REQUIRED_FIELDS", kKeepRequired},
    {"PACKAGE_NO_DELETE", "keep the package, and serve the new one beside it"},
    {"PACKAGE_SERVICE_NO_DELETE", "keep the service, and serve the new one beside it"},
    {"RESERVED_ENUM_NO_DELETE", kKeepReserved},
    {"RESERVED_MESSAGE_NO_DELETE", kKeepReserved},
    {"RPC_NO_DELETE", "keep the method, marked as deprecated, until nobody calls it"},
    {"RPC_SAME_CLIENT_STREAMING", kNewMethod},
    {"RPC_SAME_IDEMPOTENCY_LEVEL", kKeepLevel},
    {"RPC_SAME_REQUEST_TYPE", kNewMethod},
    {"RPC_SAME_RESPONSE_TYPE", kNewMethod},
    {"RPC_SAME_SERVER_STREAMING", kNewMethod},
}};

const RuleRow* Find(absl::string_view rule) {
  return std::find_if(kRules.begin(), kRules.end(),
                      [rule](const RuleRow& one) { return one.id == rule; });
}

}  // namespace

bool IsPinionRule(absl::string_view rule) { return Find(rule) != kRules.end(); }

absl::string_view PinionAdvice(absl::string_view rule) {
  const RuleRow* row = Find(rule);
  CHECK(row != kRules.end());
  return row->advice;
}

void Collector::Add(absl::string_view rule, Severity severity, absl::string_view symbol,
                    const File* file, const std::optional<Place>& place,
                    absl::string_view message) {
  auto [it, added] = findings_.try_emplace({std::string(rule), std::string(symbol)});
  Finding& finding = it->second;
  if (!added) {
    finding.severity = std::min(finding.severity, severity);
    if (finding.message.size() < kMaxMessageBytes && !absl::StrContains(finding.message, message)) {
      absl::StrAppend(&finding.message, "; ", message);
    }
    return;
  }
  const File* shown = place ? place->file : file;
  finding = {.rule = std::string(rule),
             .severity = severity,
             .path = shown == nullptr ? "" : shown->proto->name(),
             .line = place ? place->line : (shown == nullptr ? 0 : 1),
             .column = place ? place->column : (shown == nullptr ? 0 : 1),
             .symbol = std::string(symbol),
             .message = std::string(message),
             .advice = std::string(PinionAdvice(rule))};
}

std::vector<Finding> Collector::Take() && {
  std::vector<Finding> findings;
  for (auto& [key, finding] : findings_) findings.push_back(std::move(finding));
  SortFindings(findings);
  return findings;
}

}  // namespace pinion::compat
