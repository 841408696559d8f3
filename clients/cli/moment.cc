#include "clients/cli/moment.h"

#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "clients/cli/flags.h"

namespace pinion::cli {
namespace {

struct TimeOfDay {
  int hour = 0;
  int minute = 0;
  int second = 0;
};

std::optional<TimeOfDay> ParseTimeOfDay(absl::string_view text) {
  for (const char* format : {"%H:%M", "%H:%M:%S"}) {
    absl::Time time;
    std::string problem;
    if (text.empty() || !absl::ascii_isdigit(static_cast<unsigned char>(text[0]))) break;
    if (!absl::ParseTime(format, text, absl::UTCTimeZone(), &time, &problem)) continue;
    const absl::CivilSecond civil = absl::ToCivilSecond(time, absl::UTCTimeZone());
    return TimeOfDay{civil.hour(), civil.minute(), civil.second()};
  }
  return std::nullopt;
}

std::optional<absl::Weekday> ParseWeekday(absl::string_view text) {
  constexpr std::pair<absl::string_view, absl::Weekday> kDays[] = {
      {"monday", absl::Weekday::monday},       {"tuesday", absl::Weekday::tuesday},
      {"wednesday", absl::Weekday::wednesday}, {"thursday", absl::Weekday::thursday},
      {"friday", absl::Weekday::friday},       {"saturday", absl::Weekday::saturday},
      {"sunday", absl::Weekday::sunday},
  };
  const std::string lower = absl::AsciiStrToLower(text);
  if (lower.size() < 3) return std::nullopt;
  for (const auto& [name, day] : kDays) {
    if (lower == name || lower == name.substr(0, 3)) return day;
  }
  return std::nullopt;
}

absl::Time At(absl::CivilDay day, const TimeOfDay& time, absl::TimeZone zone) {
  return absl::FromCivil(
      absl::CivilSecond(day.year(), day.month(), day.day(), time.hour, time.minute, time.second),
      zone);
}

// The first time of day after `now`, on any day or on a `weekday`.
absl::Time Next(const TimeOfDay& time, std::optional<absl::Weekday> weekday, absl::Time now,
                absl::TimeZone zone) {
  const auto fits = [&](absl::CivilDay day) {
    return !weekday.has_value() || absl::GetWeekday(day) == *weekday;
  };
  for (absl::CivilDay day = absl::ToCivilDay(now, zone);; ++day) {
    if (fits(day) && At(day, time, zone) > now) return At(day, time, zone);
  }
}

std::optional<absl::Time> ParseDated(absl::string_view text, absl::TimeZone zone) {
  // absl::ParseTime also takes "infinite-future" and years of any length.
  if (text.size() < 16 || text[4] != '-' || text[7] != '-') return std::nullopt;
  absl::Time time;
  std::string problem;
  if (absl::ParseTime(absl::RFC3339_sec, text, &time, &problem)) return time;
  for (const char* format : {"%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M"}) {
    if (absl::ParseTime(format, text, zone, &time, &problem)) return time;
  }
  return std::nullopt;
}

}  // namespace

absl::StatusOr<absl::Time> ParseMoment(absl::string_view flag, absl::string_view text,
                                       absl::Time now, absl::TimeZone zone) {
  if (const auto time = ParseTimeOfDay(text)) return Next(*time, std::nullopt, now, zone);
  if (const auto time = ParseDated(text, zone)) return *time;
  if (const size_t blank = text.find(' '); blank != text.npos) {
    const auto weekday = ParseWeekday(text.substr(0, blank));
    const auto time = ParseTimeOfDay(text.substr(blank + 1));
    if (weekday.has_value() && time.has_value()) return Next(*time, weekday, now, zone);
  }
  return UsageError(absl::StrCat(flag, " \"", text,
                                 "\" is no moment: write \"monday 09:00\", \"2026-12-07 09:00\", "
                                 "\"09:00\", or with a zone 2026-12-07T09:00:00+01:00"));
}

std::string MomentText(absl::Time time, absl::TimeZone zone) {
  return absl::FormatTime("%a %Y-%m-%d %H:%M %Z", time, zone);
}

}  // namespace pinion::cli
