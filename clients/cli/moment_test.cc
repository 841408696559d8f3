#include "clients/cli/moment.h"

#include "clients/cli/flags.h"
#include "gtest/gtest.h"

namespace pinion::cli {
namespace {

class Moments : public ::testing::Test {
 protected:
  // An hour east of Greenwich; now is a Thursday, 2026-12-03 10:30 there.
  const absl::TimeZone zone_ = absl::FixedTimeZone(3600);
  const absl::Time now_ = absl::FromCivil(absl::CivilSecond(2026, 12, 3, 10, 30, 0), zone_);

  std::string Parsed(absl::string_view text) {
    const auto time = ParseMoment("--at", text, now_, zone_);
    return time.ok() ? absl::FormatTime("%a %Y-%m-%d %H:%M:%S", *time, zone_) : "none";
  }
};

TEST_F(Moments, AreReadAsPeopleWriteThem) {
  const struct {
    const char* text;
    const char* meant;
  } kCases[] = {
      {"09:00", "Fri 2026-12-04 09:00:00"},
      {"10:30", "Fri 2026-12-04 10:30:00"},
      {"10:30:01", "Thu 2026-12-03 10:30:01"},
      {"monday 09:00", "Mon 2026-12-07 09:00:00"},
      {"Mon 09:00", "Mon 2026-12-07 09:00:00"},
      {"thursday 11:00", "Thu 2026-12-03 11:00:00"},
      {"thursday 10:00", "Thu 2026-12-10 10:00:00"},
      {"2026-12-07 09:00", "Mon 2026-12-07 09:00:00"},
      {"2026-12-07T09:00", "Mon 2026-12-07 09:00:00"},
      {"2026-12-07T08:00:00Z", "Mon 2026-12-07 09:00:00"},
      {"2026-12-07T10:00:00+02:00", "Mon 2026-12-07 09:00:00"},
      {"2020-01-01 00:00", "Wed 2020-01-01 00:00:00"},
  };
  for (const auto& c : kCases) EXPECT_EQ(Parsed(c.text), c.meant) << c.text;
}

TEST_F(Moments, WhatIsNoneIsAUsageError) {
  for (const char* text : {"", "monday", "someday 09:00", "25:00", "09:60", "2026-12-07",
                           "2026-13-07 09:00", "infinite-future", " 09:00", "mo 09:00", "9"}) {
    const auto time = ParseMoment("--at", text, now_, zone_);
    EXPECT_TRUE(IsUsageError(time.status())) << text;
  }
}

TEST_F(Moments, AreShownInTheirZone) {
  EXPECT_EQ(MomentText(now_, absl::UTCTimeZone()), "Thu 2026-12-03 09:30 UTC");
}

}  // namespace
}  // namespace pinion::cli
