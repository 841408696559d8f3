#include "registry/version/version_name.h"

#include <algorithm>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "base/check.h"
#include "base/status_macros.h"
#include "registry/version/names.h"

namespace pinion::version {
namespace {

using Numbers = std::array<uint64_t, 3>;

// npm's bound, 2^53 - 1: what every language that reads these names can count to.
constexpr uint64_t kMaxNumber = 9007199254740991;

enum K8sRank : uint64_t { kOther = 0, kAlpha = 1, kBeta = 2, kGeneralAvailability = 3 };

absl::Status Malformed(absl::string_view text, absl::string_view why) {
  return absl::InvalidArgumentError(
      absl::StrCat("version name `", absl::CHexEscape(text), "` ", why));
}

bool IsDigits(absl::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), absl::ascii_isdigit);
}

// Decimal without sign, leading zero or overflow beyond kMaxNumber.
std::optional<uint64_t> ParseNumber(absl::string_view text) {
  uint64_t number = 0;
  if (!IsDigits(text) || (text.size() > 1 && text[0] == '0')) return std::nullopt;
  if (!absl::SimpleAtoi(text, &number) || number > kMaxNumber) return std::nullopt;
  return number;
}

bool IsLowerWord(absl::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return absl::ascii_islower(c) || absl::ascii_isdigit(c);
  });
}

std::strong_ordering ComparePart(const std::string& a, const std::string& b) {
  const bool a_number = IsDigits(a);
  if (a_number != IsDigits(b)) {
    return a_number ? std::strong_ordering::less : std::strong_ordering::greater;
  }
  // Numbers have no leading zeros, so the longer one is larger, whatever its size.
  if (a_number && a.size() != b.size()) return a.size() <=> b.size();
  return a.compare(b) <=> 0;
}

// semver.org §11: none is newer than any; then part by part; then more parts are newer.
std::strong_ordering ComparePrereleases(const std::vector<std::string>& a,
                                        const std::vector<std::string>& b) {
  if (a.empty() || b.empty()) return a.empty() <=> b.empty();
  return std::lexicographical_compare_three_way(a.begin(), a.end(), b.begin(), b.end(),
                                                ComparePart);
}

absl::StatusOr<std::vector<std::string>> ParseSemverPrerelease(absl::string_view text,
                                                               absl::string_view prerelease) {
  std::vector<std::string> parts = absl::StrSplit(prerelease, '.');
  for (const std::string& part : parts) {
    const bool good = !part.empty() && std::all_of(part.begin(), part.end(), [](char c) {
      return absl::ascii_isalnum(c) || c == '-';
    });
    if (!good) {
      return Malformed(text,
                       "has a prerelease part that is not letters, digits and `-`; write one "
                       "such as 2.0.0-rc.1");
    }
    if (IsDigits(part) && part.size() > 1 && part[0] == '0') {
      return Malformed(
          text, absl::StrCat("has a prerelease number with a leading zero; write ",
                             part.substr(std::min(part.find_first_not_of('0'), part.size() - 1)),
                             " for ", part));
    }
  }
  return parts;
}

absl::StatusOr<Numbers> ParseSemverNumbers(absl::string_view text, absl::string_view numbers) {
  const std::vector<absl::string_view> parts = absl::StrSplit(numbers, '.');
  const bool all_digits = std::all_of(parts.begin(), parts.end(), IsDigits);
  if (all_digits && parts.size() < 3) {
    return Malformed(
        text, absl::StrCat("is not complete under SEMVER; write all three parts, such as ", numbers,
                           parts.size() == 1 ? ".0.0" : ".0"));
  }
  if (!all_digits || parts.size() > 3) {
    return Malformed(text,
                     "is not a SEMVER name; write major.minor.patch, such as 1.4.2 or "
                     "2.0.0-rc.1");
  }
  Numbers result{};
  for (size_t i = 0; i < 3; ++i) {
    const std::optional<uint64_t> number = ParseNumber(parts[i]);
    if (!number) {
      return Malformed(text,
                       absl::StrCat("has the number ", parts[i], ", with a leading zero or above ",
                                    kMaxNumber, "; write it plainly, such as 1.4.2"));
    }
    result[i] = *number;
  }
  return result;
}

bool IsCalendarDay(const Numbers& date) {
  static constexpr int kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const auto [year, month, day] = date;
  if (year == 0 || month < 1 || month > 12 || day < 1) return false;
  const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  return day <= static_cast<uint64_t>(kDays[month - 1]) + (leap && month == 2 ? 1 : 0);
}

std::optional<Numbers> ParseDate(absl::string_view text) {
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return std::nullopt;
  Numbers date{};
  const absl::string_view parts[] = {text.substr(0, 4), text.substr(5, 2), text.substr(8, 2)};
  for (size_t i = 0; i < 3; ++i) {
    if (!IsDigits(parts[i]) || !absl::SimpleAtoi(parts[i], &date[i])) return std::nullopt;
  }
  if (!IsCalendarDay(date)) return std::nullopt;
  return date;
}

// v<major>, v<major>alpha<minor> or v<major>beta<minor>, numbers from 1; others have their own
// order.
std::optional<Numbers> ParseK8s(absl::string_view text) {
  if (!absl::StartsWith(text, "v")) return std::nullopt;
  absl::string_view major = text.substr(1);
  absl::string_view minor;
  uint64_t rank = kGeneralAvailability;
  for (const auto& [word, word_rank] : {std::pair("alpha", kAlpha), std::pair("beta", kBeta)}) {
    if (const size_t at = major.find(word); at != absl::string_view::npos) {
      minor = major.substr(at + absl::string_view(word).size());
      major = major.substr(0, at);
      rank = word_rank;
      break;
    }
  }
  const std::optional<uint64_t> major_number = ParseNumber(major);
  const std::optional<uint64_t> minor_number =
      rank == kGeneralAvailability ? std::optional<uint64_t>(1) : ParseNumber(minor);
  if (!major_number || *major_number == 0 || !minor_number || *minor_number == 0) {
    return std::nullopt;
  }
  return Numbers{rank, *major_number, *minor_number};
}

bool IsK8sLabel(absl::string_view text) {
  return text.size() <= 63 && absl::ascii_islower(text.front()) && text.back() != '-' &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return absl::ascii_islower(c) || absl::ascii_isdigit(c) || c == '-';
         });
}

}  // namespace

absl::Status VersionName::ParseSemver() {
  if (text_.size() > 1 && text_[0] == 'v' && absl::ascii_isdigit(text_[1])) {
    return Malformed(text_, absl::StrCat("begins with v; write ", text_.substr(1)));
  }
  if (const size_t plus = text_.find('+'); plus != std::string::npos) {
    return Malformed(text_, absl::StrCat("has a build part, which does not order versions; write ",
                                         text_.substr(0, plus)));
  }
  const size_t dash = text_.find('-');
  ASSIGN_OR_RETURN(numbers_, ParseSemverNumbers(text_, absl::string_view(text_).substr(0, dash)));
  if (dash == std::string::npos) return absl::OkStatus();
  ASSIGN_OR_RETURN(prerelease_,
                   ParseSemverPrerelease(text_, absl::string_view(text_).substr(dash + 1)));
  return absl::OkStatus();
}

absl::Status VersionName::ParseDateName() {
  const std::optional<Numbers> date = ParseDate(absl::string_view(text_).substr(0, 10));
  if (!date) {
    return Malformed(text_,
                     "does not begin with a day of the calendar; write year-month-day, such "
                     "as 2026-11-23 or 2026-11-23.basil");
  }
  numbers_ = *date;
  absl::string_view rest = absl::string_view(text_).substr(10);
  bool good = true;
  if (absl::StartsWith(rest, ".")) {
    word_ = std::string(rest.substr(1, rest.find('-') - 1));
    rest.remove_prefix(1 + word_.size());
    good = IsLowerWord(word_);
  }
  if (absl::StartsWith(rest, "-")) {
    prerelease_.emplace_back(rest.substr(1));
    rest = {};
    good = good && IsLowerWord(prerelease_[0]);
  }
  if (good && rest.empty()) return absl::OkStatus();
  return Malformed(text_,
                   "has more than a date, a train and a prerelease of lower-case letters and "
                   "digits; write it as 2026-11-23.basil or 2026-11-23-preview");
}

absl::Status VersionName::ParseK8sName() {
  if (std::optional<Numbers> numbers = ParseK8s(text_); numbers.has_value()) {
    numbers_ = *numbers;
    return absl::OkStatus();
  }
  if (absl::ascii_isdigit(text_[0])) {
    return Malformed(text_,
                     "begins with a digit; write a K8S name such as v1, v1beta2 or v2alpha1");
  }
  if (!IsK8sLabel(text_)) {
    return Malformed(text_,
                     "is not a K8S name; write v1, v1beta2, v2alpha1, or at most 63 "
                     "lower-case letters, digits and `-`");
  }
  numbers_ = {kOther, 0, 0};
  word_ = text_;
  return absl::OkStatus();
}

absl::Status VersionName::ParseInteger() {
  const std::optional<uint64_t> number = ParseNumber(text_);
  if (!number) {
    return Malformed(text_, absl::StrCat("is not an INTEGER name; write a whole number up to ",
                                         kMaxNumber, " without sign or leading zero, such as 7"));
  }
  numbers_[0] = *number;
  return absl::OkStatus();
}

absl::StatusOr<VersionName> VersionName::Parse(Scheme scheme, absl::string_view text) {
  if (text.empty()) return absl::InvalidArgumentError("a version name is empty");
  if (text.size() > kMaxVersionNameBytes) {
    return Malformed(
        text.substr(0, kMaxVersionNameBytes),
        absl::StrCat("... has ", text.size(), " bytes; the most is ", kMaxVersionNameBytes));
  }
  VersionName name;
  name.text_ = std::string(text);
  name.scheme_ = scheme;
  switch (scheme) {
    case routing::v1::SEMVER:
      RETURN_IF_ERROR(name.ParseSemver());
      return name;
    case routing::v1::DATE:
      RETURN_IF_ERROR(name.ParseDateName());
      return name;
    case routing::v1::K8S:
      RETURN_IF_ERROR(name.ParseK8sName());
      return name;
    case routing::v1::INTEGER:
      RETURN_IF_ERROR(name.ParseInteger());
      return name;
    default:
      return Malformed(text,
                       "has no scheme to read it by; set the service's scheme to SEMVER, DATE, "
                       "K8S or INTEGER");
  }
}

std::strong_ordering operator<=>(const VersionName& a, const VersionName& b) {
  DCHECK(a.scheme_ == b.scheme_);
  if (const auto order = a.numbers_ <=> b.numbers_; order != 0) return order;
  // Kubernetes lists names of no known form alphabetically, best first.
  if (a.scheme_ == routing::v1::K8S) return b.word_.compare(a.word_) <=> 0;
  if (const int order = a.word_.compare(b.word_); order != 0) return order <=> 0;
  return ComparePrereleases(a.prerelease_, b.prerelease_);
}

}  // namespace pinion::version
