#include "registry/compat/waivers.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "registry/compat/collector.h"
#include "registry/compat/rule.h"

namespace pinion::compat {
namespace {

constexpr char kAnyVersion[] = "*";

std::optional<absl::Time> ParseExpiry(const std::string& text) {
  absl::CivilDay day;
  if (absl::ParseCivilTime(text, &day)) return absl::FromCivil(day + 1, absl::UTCTimeZone());
  absl::Time time;
  if (absl::ParseTime(absl::RFC3339_full, text, &time, nullptr)) return time;
  return std::nullopt;
}

bool IsRule(absl::string_view id) {
  const auto standard = StandardRules();
  return IsPinionRule(id) || std::any_of(standard.begin(), standard.end(),
                                         [id](const Rule& rule) { return rule.id == id; });
}

bool Covers(const std::string& wanted, const std::optional<std::string>& version) {
  return !version || wanted == kAnyVersion || wanted == *version;
}

bool IsFor(const Waiver& waiver, const Finding& finding, const WaiverScope& scope) {
  return waiver.rule() == finding.rule && waiver.symbol() == finding.symbol &&
         Covers(waiver.from(), scope.from) && Covers(waiver.to(), scope.to);
}

}  // namespace

absl::Status ValidateWaiver(const Waiver& waiver) {
  const std::pair<absl::string_view, const std::string&> fields[] = {
      {"rule", waiver.rule()},     {"symbol", waiver.symbol()}, {"from", waiver.from()},
      {"to", waiver.to()},         {"author", waiver.author()}, {"reason", waiver.reason()},
      {"expiry", waiver.expiry()},
  };
  const std::string which = absl::StrCat("the waiver for ", waiver.rule(), " ", waiver.symbol());
  for (const auto& [name, value] : fields) {
    if (value.empty()) {
      return absl::InvalidArgumentError(absl::StrCat(
          which, " has no `", name,
          "`: it needs rule, symbol, from, to, author, reason and expiry (from and to: a version, "
          "or \"*\")"));
    }
  }
  if (!IsRule(waiver.rule())) {
    return absl::InvalidArgumentError(
        absl::StrCat(which, ": there is no rule ", waiver.rule(),
                     "; copy the rule and the symbol from the finding"));
  }
  if (!ParseExpiry(waiver.expiry())) {
    return absl::InvalidArgumentError(absl::StrCat(which, ": expiry \"", waiver.expiry(),
                                                   "\" is no date: write it like 2026-12-31"));
  }
  return absl::OkStatus();
}

absl::Time ExpiryOf(const Waiver& waiver) {
  return ParseExpiry(waiver.expiry()).value_or(absl::InfinitePast());
}

Waived ApplyWaivers(std::vector<Finding> findings, const std::vector<Waiver>& waivers,
                    const WaiverScope& scope) {
  Waived result;
  for (Finding& finding : findings) {
    const Waiver* expired = nullptr;
    const Waiver* match = nullptr;
    for (const Waiver& waiver : waivers) {
      if (!IsFor(waiver, finding, scope)) continue;
      (scope.now < ExpiryOf(waiver) ? match : expired) = &waiver;
    }
    if (match != nullptr) {
      result.waived.push_back({std::move(finding), *match});
      continue;
    }
    if (expired != nullptr) {
      absl::StrAppend(&finding.message, " (the waiver of ", expired->author(), " expired on ",
                      expired->expiry(), ")");
    }
    result.remaining.push_back(std::move(finding));
  }
  return result;
}

}  // namespace pinion::compat
