#include "registry/access/rights.h"

#include <string>

#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"

namespace pinion::access {
namespace {

namespace v1 = registry::v1;

v1::Grant GrantOf(const std::string& text) {
  v1::Grant grant;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &grant)) << text;
  return grant;
}

TEST(RightsTest, GrantsToAllSubjectsAddUp) {
  const GrantsBySubject grants = {
      {"jwt:i#ann", {GrantOf("role: OWNER name: 'a' creates: 'a/*'")}},
      {"group:i#devs", {GrantOf("role: OWNER name: 'b'"), GrantOf("role: CONSUMER name: 'c'")}},
      {"jwt:i#bob", {GrantOf("role: OPERATOR")}}};
  const Rights ann = RightsOf({"jwt:i#ann", "group:i#devs"}, grants, {});
  EXPECT_EQ(ann.actor, "jwt:i#ann");
  EXPECT_EQ(ann.owners, (std::set<std::string>{"a", "b", "jwt:i#ann", "group:i#devs"}));
  EXPECT_EQ(ann.consumers, std::set<std::string>{"c"});
  EXPECT_TRUE(ann.has_role);
  EXPECT_FALSE(ann.operates || ann.reviews || ann.follows);
  EXPECT_TRUE(RightsOf({"jwt:i#bob"}, grants, {}).operates);
  EXPECT_FALSE(RightsOf({"jwt:i#eve"}, grants, {}).has_role);
}

TEST(RightsTest, OperatorsOfTheConfigurationAndOfTheSocket) {
  EXPECT_TRUE(RightsOf({"spiffe://x/ops"}, {}, {"spiffe://x/ops"}).operates);
  EXPECT_TRUE(RightsOf({"jwt:i#ann", "group:i#ops"}, {}, {"group:i#ops"}).operates);
  EXPECT_TRUE(RightsOf({"local"}, {}, {}).operates);
  EXPECT_FALSE(RightsOf({"spiffe://x/ops2"}, {}, {"spiffe://x/ops"}).operates);
}

TEST(RightsTest, ARoleThatNobodyHereKnowsGivesNothing) {
  v1::Grant future;
  future.set_role(static_cast<v1::Role>(99));
  EXPECT_FALSE(RightsOf({"token:x"}, {{"token:x", {future}}}, {}).has_role);
  EXPECT_FALSE(RightsOf({"token:x"}, {{"token:x", {v1::Grant()}}}, {}).has_role);
}

TEST(RightsTest, PatternsOfNames) {
  EXPECT_TRUE(MatchesPattern("payments/*", "payments/api"));
  EXPECT_TRUE(MatchesPattern("payments/*", "payments/api/v2"));
  EXPECT_FALSE(MatchesPattern("payments/*", "payments"));
  EXPECT_FALSE(MatchesPattern("payments/*", "payments/"));
  EXPECT_FALSE(MatchesPattern("payments/*", "payments-evil/api"));
  EXPECT_TRUE(MatchesPattern("payments", "payments"));
  EXPECT_FALSE(MatchesPattern("payments", "payments/api"));
  EXPECT_TRUE(MatchesPattern("*", "anything"));
}

TEST(RightsTest, ANewObjectBelongsToTheOneOwnerThatMayHaveIt) {
  const GrantsBySubject grants = {{"token:ci",
                                   {GrantOf("role: OWNER name: 'a' creates: 'a/*' creates: 's'"),
                                    GrantOf("role: OWNER name: 'b' creates: 'b/*' creates: 's'")}}};
  const Rights ci = RightsOf({"token:ci"}, grants, {});
  EXPECT_EQ(DefaultOwner(ci, "a/x"), "a");
  EXPECT_EQ(DefaultOwner(ci, "b/x"), "b");
  EXPECT_EQ(DefaultOwner(ci, "s"), "token:ci") << "two could: the caller has to say which";
  EXPECT_EQ(DefaultOwner(ci, "c"), "token:ci");
  EXPECT_TRUE(MayCreate(ci, "a/x", "a"));
  EXPECT_FALSE(MayCreate(ci, "a/x", "b"));
  EXPECT_FALSE(MayCreate(ci, "c", "token:ci"));
  EXPECT_TRUE(MayCreate(RightsOf({"local"}, {}, {}), "c", "anybody"));
}

TEST(RightsTest, GrantsThatAreNone) {
  for (const char* good :
       {"subject: 'token:x' role: READER",
        "subject: 'token:x' role: OWNER name: 'pay' creates: '*'",
        "subject: 'token:x' role: OWNER name: 'The Pay Team' creates: 'pay/*' creates: 'pay'",
        "subject: 'token:x' role: CONSUMER name: 'billing'"}) {
    EXPECT_TRUE(ValidateGrant(GrantOf(good)).ok()) << ValidateGrant(GrantOf(good));
  }
  for (const char* bad :
       {"subject: 'x' role: READER", "subject: 'token:x'", "subject: 'token:x' role: OWNER",
        "subject: 'token:x' role: READER name: 'a'", "subject: 'token:x' role: OWNER name: 'a!b'",
        "subject: 'token:x' role: OWNER name: 'a\\nb'",
        "subject: 'token:x' role: OWNER name: 'a' creates: ''",
        "subject: 'token:x' role: OWNER name: 'a' creates: 'a*'",
        "subject: 'token:x' role: CONSUMER name: 'a b'",
        "subject: 'token:x' role: CONSUMER name: 'a' creates: 'b'"}) {
    EXPECT_EQ(ValidateGrant(GrantOf(bad)).code(), absl::StatusCode::kInvalidArgument) << bad;
  }
}

}  // namespace
}  // namespace pinion::access
