#include "clients/cli/doctor.h"

#include <string>

#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"

namespace pinion::cli {
namespace {

using command::v1::Check;
using ::testing::HasSubstr;

registry::v1::GetStatusResponse Status(const std::string& text) {
  registry::v1::GetStatusResponse status;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &status));
  return status;
}

void ExpectCheck(const Check& check, Check::Level level, const std::string& found) {
  EXPECT_EQ(check.level(), level) << check.DebugString();
  EXPECT_THAT(check.found(), HasSubstr(found));
  EXPECT_EQ(check.advice().empty(), level == Check::OK) << "advice where something is to be done";
}

TEST(DoctorTest, Expiry) {
  const absl::Time now = absl::FromUnixSeconds(1'800'000'000);
  ExpectCheck(CheckExpiry("x", "it", now, now), Check::FAIL, "it has expired on 2027-01-15");
  ExpectCheck(CheckExpiry("x", "it", now + absl::Hours(30), now), Check::WARN, "for 30 hours");
  ExpectCheck(CheckExpiry("x", "it", now + absl::Hours(14 * 24 - 1), now), Check::WARN, "13 days");
  ExpectCheck(CheckExpiry("x", "it", now + absl::Hours(14 * 24), now), Check::OK, "14 days");
}

TEST(DoctorTest, ClockIsJudgedByWhatIsSure) {
  const absl::Time asked = absl::FromUnixSeconds(1'800'000'000);
  struct Case {
    absl::Duration travel;
    absl::Duration ahead;  // of the moment in which it was asked
    Check::Level level;
    const char* found;
  };
  for (const Case& c : {
           Case{absl::ZeroDuration(), absl::ZeroDuration(), Check::OK, "agrees"},
           Case{absl::ZeroDuration(), -absl::Seconds(1), Check::OK, "agrees"},
           Case{absl::ZeroDuration(), absl::Seconds(2), Check::WARN, "2s ahead of this one"},
           Case{absl::ZeroDuration(), -absl::Seconds(5), Check::WARN, "4s behind this one"},
           Case{absl::ZeroDuration(), absl::Seconds(61), Check::FAIL, "ahead"},
           Case{absl::ZeroDuration(), -absl::Hours(2), Check::FAIL, "behind"},
           // A slow answer proves little.
           Case{absl::Seconds(9), absl::Seconds(10), Check::OK, "agrees"},
       }) {
    ExpectCheck(CheckClock(asked, asked + c.travel, asked + c.ahead), c.level, c.found);
  }
}

TEST(DoctorTest, WhatTheRegistrySays) {
  ExpectCheck(CheckVersions("1.0", Status("binary_version: '1.0'")), Check::OK, "are 1.0");
  ExpectCheck(CheckVersions("1.0", Status("binary_version: '1.1'")), Check::WARN,
              "this program is 1.0, the registry 1.1");
  ExpectCheck(CheckStore(Status("store: 'sqlite x' store_format { format: 2 } "
                                "newest_store_format: 2")),
              Check::OK, "sqlite x, format 2");
  ExpectCheck(CheckStore(Status("store_format { format: 1 } newest_store_format: 2")), Check::WARN,
              "of an older pinion");
  ExpectCheck(CheckStore(Status("store_format { format: 3 } newest_store_format: 2")), Check::WARN,
              "of a newer pinion");
  ExpectCheck(CheckStore(Status("store: 'x' store_error: 'disk full'")), Check::FAIL,
              "x takes no changes: disk full");
  ExpectCheck(CheckInstances(Status("instances: 3")), Check::OK, "3 instances");
  ExpectCheck(CheckInstances(Status("instances: 3 instances_held_back: 1")), Check::WARN,
              "1 of 3 instances get no calls");
}

TEST(DoctorTest, Gateways) {
  ExpectCheck(CheckGateways(Status("")), Check::WARN, "none follows");
  ExpectCheck(CheckGateways(Status("revision: 9 gateways { sent_revision: 9 }")), Check::OK,
              "1 gateway follows, at revision 9");
  ExpectCheck(CheckGateways(Status("revision: 200 gateways { gateway_id: 'a' sent_revision: 9 }")),
              Check::WARN, "behind: a (by 191 revisions)");
  ExpectCheck(CheckGateways(Status("gateways {} silent_gateways { gateway_id: 'a' revision: 7 "
                                   "report_time { seconds: 1800000000 } }")),
              Check::WARN, "silent: a (since 2027-01-15 08:00:00Z, revision 7)");
}

TEST(DoctorTest, Access) {
  const absl::Time now = absl::FromUnixSeconds(1'800'000'000);
  const auto who = [](const std::string& text) {
    registry::v1::WhoAmIResponse who;
    EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &who));
    return who;
  };
  ExpectCheck(CheckAccess(who(""), now), Check::OK, "everybody");
  ExpectCheck(CheckAccess(who("access: true actor: 'token:ci'"), now), Check::WARN,
              "nothing is granted to token:ci");
  ExpectCheck(CheckAccess(who("access: true actor: 'ann' operator: true"), now), Check::OK, "ann");
  ExpectCheck(CheckAccess(who("access: true actor: 'ann' operator: true "
                              "expire_time { seconds: 1800003600 }"),
                          now),
              Check::WARN, "for 1 hour");
}

TEST(DoctorTest, TheWorstCounts) {
  EXPECT_EQ(Worst({}), Check::OK);
  EXPECT_EQ(Worst({MakeCheck("a", Check::WARN, ""), MakeCheck("b", Check::FAIL, ""),
                   MakeCheck("c", Check::OK, "")}),
            Check::FAIL);
}

}  // namespace
}  // namespace pinion::cli
