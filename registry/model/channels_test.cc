#include "registry/model/channels.h"

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"
#include "registry/model/errors.h"

namespace pinion::model {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

routing::v1::Channel Stable(const std::string& version, const std::string& ramp = "",
                            uint32_t percent = 0) {
  routing::v1::Channel channel;
  channel.set_service("db");
  channel.set_name("stable");
  channel.set_version(version);
  if (!ramp.empty()) channel.mutable_ramp()->set_version(ramp);
  if (percent != 0) channel.mutable_ramp()->set_percent(percent);
  return channel;
}

TEST(Channels, ARampLeadsElsewhereAndOnlySome) {
  EXPECT_TRUE(ValidateRamp(Stable("1.0.0", "2.0.0", 1)).ok());
  EXPECT_TRUE(ValidateRamp(Stable("1.0.0", "2.0.0", 99)).ok());
  struct Case {
    routing::v1::Channel channel;
    std::string says;
  };
  for (const Case& c : {
           Case{Stable("1.0.0", "2.0.0"),
                "1 to 99 per cent, and not 0; to lead everybody to 2.0.0: "
                "`pinion channel set db stable 2.0.0`"},
           Case{Stable("1.0.0", "2.0.0", 100), "and not 100"},
           Case{Stable("1.0.0", "1.0.0", 10), "leads to 1.0.0 already"},
           Case{Stable("1.0.0", "", 10), "name the version"},
       }) {
    const absl::Status status = ValidateRamp(c.channel);
    EXPECT_EQ(ReasonOf(status), "ARGUMENT_INVALID") << c.channel.DebugString();
    EXPECT_THAT(std::string(status.message()), HasSubstr(c.says));
  }
}

TEST(Channels, WhatWasLeftIsKnownForTheWindow) {
  google::protobuf::Timestamp now;
  now.set_seconds(1'000'000);
  registry::v1::Channel record;
  const auto change = [&](const routing::v1::Channel& before, const routing::v1::Channel& after) {
    *record.mutable_channel() = after;
    NoteLeft(before, absl::Hours(1), now, record);
    std::vector<std::string> left;
    for (const auto& one : record.left()) {
      left.push_back(absl::StrCat(one.version(), " ", one.time().seconds() - 1'000'000));
    }
    return left;
  };
  // A ramp's share grows, and it is completed: only then its channel's own version is left.
  EXPECT_THAT(change(Stable("1"), Stable("1", "2", 10)), IsEmpty());
  EXPECT_THAT(change(Stable("1", "2", 10), Stable("1", "2", 50)), IsEmpty());
  EXPECT_THAT(change(Stable("1", "2", 50), Stable("2")), ElementsAre("1 0"));
  // The next begins, is led elsewhere and taken back.
  now.set_seconds(1'001'000);
  EXPECT_THAT(change(Stable("2"), Stable("2", "3", 10)), ElementsAre("1 0"));
  EXPECT_THAT(change(Stable("2", "3", 10), Stable("2", "4", 10)), ElementsAre("1 0", "3 1000"));
  now.set_seconds(1'003'599);
  EXPECT_THAT(change(Stable("2", "4", 10), Stable("2")), ElementsAre("1 0", "3 1000", "4 3599"));
  // Windows end, and what the channel leads to again is not left.
  now.set_seconds(1'003'600);
  EXPECT_THAT(change(Stable("2"), Stable("4")), ElementsAre("2 3600", "3 1000"));
  NoteLeft(Stable("4"), absl::ZeroDuration(), now, record);
  EXPECT_EQ(record.left_size(), 0) << "without a window nothing is kept";
}

TEST(Channels, LeadToTheirOwnVersionAndTheRamps) {
  EXPECT_TRUE(LeadsTo(Stable("1", "2", 10), "1"));
  EXPECT_TRUE(LeadsTo(Stable("1", "2", 10), "2"));
  EXPECT_FALSE(LeadsTo(Stable("1", "2", 10), "3"));
  EXPECT_FALSE(LeadsTo(Stable("1"), ""));
}

}  // namespace
}  // namespace pinion::model
