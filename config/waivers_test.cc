#include "config/waivers.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace pinion::config {
namespace {

constexpr char kGood[] = R"(
waivers:
- rule: FIELD_NO_DELETE
  symbol: acme.v1.Person.email
  from: 1.4.2
  to: "*"
  author: alice
  reason: nobody reads it, says the usage report
  expiry: 2026-12-31
)";

std::string ErrorOf(const std::string& text) {
  return std::string(ParseWaivers(text, "w.yaml").status().message());
}

TEST(WaiversFileTest, IsRead) {
  const auto waivers = ParseWaivers(kGood, "w.yaml");
  ASSERT_TRUE(waivers.ok()) << waivers.status();
  ASSERT_EQ(waivers->waivers_size(), 1);
  EXPECT_EQ(waivers->waivers(0).from(), "1.4.2");
  EXPECT_EQ(waivers->waivers(0).expiry(), "2026-12-31");
  EXPECT_TRUE(ParseWaivers("waivers: []", "w.yaml").ok());
}

TEST(WaiversFileTest, WhatIsWrongIsNamedWithItsPlace) {
  EXPECT_THAT(ErrorOf("waivers:\n- rules: X"),
              ::testing::HasSubstr("w.yaml:2:3: unknown field `rules`"));
  EXPECT_THAT(ErrorOf("waivers:\n- {rule: FIELD_NO_DELETE, symbol: a.B}"),
              ::testing::AllOf(::testing::HasSubstr("w.yaml:2:"),
                               ::testing::HasSubstr("FIELD_NO_DELETE a.B has no `from`")));
  EXPECT_THAT(ErrorOf("waivers:\n- {rule: FIELD_DELETED, symbol: a, from: '*', to: '*', author: a, "
                      "reason: r, expiry: 2026-12-31}"),
              ::testing::HasSubstr("there is no rule FIELD_DELETED"));
  EXPECT_THAT(ErrorOf("waivers:\n- {rule: FIELD_NO_DELETE, symbol: a, from: '*', to: '*', "
                      "author: a, reason: r, expiry: soon}"),
              ::testing::HasSubstr("expiry \"soon\" is no date"));
  EXPECT_THAT(ErrorOf("waivers: ["), ::testing::HasSubstr("w.yaml:"));
}

}  // namespace
}  // namespace pinion::config
