#include "clients/cli/text.h"

#include <string>

#include "base/proto_duration.h"
#include "clients/cli/flags.h"
#include "config/address.h"
#include "gtest/gtest.h"

namespace pinion::cli {
namespace {

TEST(ReadAddress, TakesWhatToStringGives) {
  for (const std::string text :
       {"127.0.0.1:80", "[::1]:80", "people.acme:65535", "unix:/run/x.sock"}) {
    const auto address = ReadAddress(text, AddressUse::kConnect);
    ASSERT_TRUE(address.ok()) << address.status();
    EXPECT_EQ(config::ToString(*address), text);
  }
}

TEST(ReadAddress, RefusesTheRestAsAUsageError) {
  const auto address = ReadAddress("127.0.0.1:0", AddressUse::kConnect);
  EXPECT_TRUE(IsUsageError(address.status())) << address.status();
  EXPECT_TRUE(ReadAddress("127.0.0.1:0", AddressUse::kListen).ok());
}

TEST(Retry, TextAndBack) {
  for (const char* text : {"none", "3", "5:ABORTED,UNAVAILABLE"}) {
    const auto policy = ParseRetry(text);
    ASSERT_TRUE(policy.ok()) << policy.status();
    EXPECT_EQ(RetryText(*policy), text);
  }
  for (const char* text : {"", "0", "x", "3:NOTHING", "-1"}) EXPECT_FALSE(ParseRetry(text).ok());
}

TEST(Unpinned, TextAndBack) {
  for (const char* text : {"reject", "channel:beta", "pin-on-first-call:beta"}) {
    const auto policy = ParseUnpinned(text);
    ASSERT_TRUE(policy.ok()) << policy.status();
    EXPECT_EQ(UnpinnedText(*policy), text);
  }
  EXPECT_EQ(UnpinnedText(*ParseUnpinned("pin-on-first-call")), "pin-on-first-call:stable");
  EXPECT_EQ(UnpinnedText({}), "channel:stable");
  for (const char* text : {"", "channel:", "maybe"}) EXPECT_FALSE(ParseUnpinned(text).ok()) << text;
}

TEST(Durations, AsPeopleReadThem) {
  EXPECT_EQ(DurationText(ToProto(absl::Minutes(90))), "1h30m");
  EXPECT_EQ(DurationText(ToProto(absl::Milliseconds(1500))), "1.5s");
  EXPECT_EQ(DurationText({}), "");
}

TEST(ShellWord, QuotesWhatAShellWouldChange) {
  EXPECT_EQ(ShellWord("1.4.2"), "1.4.2");
  EXPECT_EQ(ShellWord("^1"), "'^1'");
  EXPECT_EQ(ShellWord(""), "''");
  EXPECT_EQ(ShellWord("it's"), "'it'\\''s'");
}

TEST(Text, TimesAreDaysOrMoments) {
  const struct {
    const char* text;
    int64_t seconds;
  } kGood[] = {
      {"2027-03-01", 1803859200},
      {"2027-03-01T00:00:00Z", 1803859200},
      {"2027-03-01T01:30:00+01:30", 1803859200},
      {"2028-02-29", 1835395200},
  };
  for (const auto& c : kGood) {
    const auto time = ParseTime("--sunset", c.text);
    ASSERT_TRUE(time.ok()) << time.status();
    EXPECT_EQ(time->seconds(), c.seconds) << c.text;
  }
  for (const char* bad : {"", "tomorrow", "2027-02-29", "2027-13-01", "2027-3-1",
                          "2027-03-01 09:00", "2027-03-01T09:00:00", "12027-03-01",
                          "infinite-future", "1803859200", "2027-03-01T25:00:00Z"}) {
    const auto time = ParseTime("--sunset", bad);
    EXPECT_TRUE(IsUsageError(time.status())) << bad;
  }
}

}  // namespace
}  // namespace pinion::cli
