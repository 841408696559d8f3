#include "registry/model/keys.h"

#include "absl/strings/match.h"
#include "gtest/gtest.h"

namespace pinion::model {
namespace {

routing::v1::Identity Jwt(const std::string& issuer, const std::string& subject) {
  routing::v1::Identity identity;
  identity.mutable_jwt()->set_issuer(issuer);
  identity.mutable_jwt()->set_subject(subject);
  return identity;
}

TEST(Keys, PrefixesHoldWhatTheyNameAndNothingElse) {
  EXPECT_TRUE(absl::StartsWith(VersionKey("db", "1.0.0"), VersionsOf("db")));
  EXPECT_FALSE(absl::StartsWith(VersionKey("db/people", "1.0.0"), VersionsOf("db")));
  EXPECT_FALSE(absl::StartsWith(VersionKey("db-2", "1.0.0"), VersionsOf("db")));
  EXPECT_TRUE(absl::StartsWith(PinKey("billing", "db", ""), PinsOf("billing", "db")));
  EXPECT_TRUE(absl::StartsWith(PinKey("billing", "db", "/a.B/C"), PinsOf("billing", "")));
  EXPECT_FALSE(absl::StartsWith(PinKey("billing2", "db", ""), PinsOf("billing", "")));
  EXPECT_TRUE(absl::StartsWith(EntitlementKey("billing", "db"), EntitlementsOf("billing")));
  EXPECT_FALSE(absl::StartsWith(EntitlementKey("billing2", "db"), EntitlementsOf("billing")));
  EXPECT_TRUE(absl::StartsWith(EntitlementKey("billing", "db"), EntitlementsOf("")));
  EXPECT_TRUE(absl::StartsWith(EntitledKey("db", "billing"), EntitledOf("db")));
  EXPECT_FALSE(absl::StartsWith(EntitledKey("db/people", "billing"), EntitledOf("db")));
  EXPECT_TRUE(absl::StartsWith(PinUseKey("db", "^1", "c", ""), PinUsesOf("db", "^1")));
  EXPECT_FALSE(absl::StartsWith(PinUseKey("db", "^1 || ^2", "c", ""), PinUsesOf("db", "^1")));
  EXPECT_TRUE(absl::StartsWith(PinChangeKey("c", "db", "", 7), PinChangesOf("c", "db", "")));
  EXPECT_FALSE(absl::StartsWith(PinChangeKey("c", "db", "/a.B/C", 7), PinChangesOf("c", "db", "")));
}

TEST(Keys, HistorySortsByNumber) {
  EXPECT_LT(PinChangeKey("c", "s", "", 9), PinChangeKey("c", "s", "", 10));
  EXPECT_LT(PinChangeKey("c", "s", "", 99), PinChangeKey("c", "s", "", 1'000'000'000'000));
}

TEST(Keys, PinUseComesApart) {
  const PinUse use =
      ParsePinUse(PinUseKey("db/people", ">=1 <2 || ^3", "team/billing", "/a.B/C")).value();
  EXPECT_EQ(use.consumer, "team/billing");
  EXPECT_EQ(use.method, "/a.B/C");
  EXPECT_EQ(ParsePinUse(PinUseKey("db", "@stable", "c", ""))->method, "");
  EXPECT_EQ(ParsePinUse("records/pin_use!db"), std::nullopt);
}

TEST(Keys, SunsetsSortByTimeAndComeApart) {
  EXPECT_LT(SunsetKey(999'999'999, "z", "1.0.0"), SunsetKey(1'000'000'000, "a", "1.0.0"));
  const VersionRef due = ParseSunset(SunsetKey(1'800'000'000, "db/people", "1.0.0-rc.1")).value();
  EXPECT_EQ(due.service, "db/people");
  EXPECT_EQ(due.version, "1.0.0-rc.1");
  EXPECT_EQ(ParseSunset("records/sunset!1!db"), std::nullopt);
  EXPECT_EQ(ParseFreeing(FreeingKey("db/people", "7")), (VersionRef{"db/people", "7"}));
  EXPECT_EQ(ParseFreeing("records/freeing!db"), std::nullopt);
}

TEST(Keys, JobsSortByTheirTimeAndComeApart) {
  EXPECT_LT(JobDueKey(999'999'999, 7), JobDueKey(1'000'000'000, 6));
  EXPECT_LT(JobKey(9), JobKey(10));
  EXPECT_EQ(ParseJobDue(JobDueKey(1'800'000'000, 17)), 17);
  EXPECT_EQ(ParseJobDue("records/job_due!1!x"), std::nullopt);
}

TEST(Keys, IdentitiesAreEqualOrNot) {
  routing::v1::Identity upper, lower;
  upper.set_dns_san("Billing.Example.COM");
  lower.set_dns_san("billing.example.com");
  EXPECT_EQ(IdentityKey(upper), IdentityKey(lower));
  upper.set_api_key_sha256(std::string(64, 'A'));
  lower.set_api_key_sha256(std::string(64, 'a'));
  EXPECT_EQ(IdentityKey(upper), IdentityKey(lower));
  upper.set_trusted_header("Billing");
  lower.set_trusted_header("billing");
  EXPECT_NE(IdentityKey(upper), IdentityKey(lower));
  EXPECT_NE(IdentityKey(Jwt("a!b", "c")), IdentityKey(Jwt("a", "b!c")));
}

}  // namespace
}  // namespace pinion::model
