#include "registry/compat/waivers.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace pinion::compat {
namespace {

const absl::Time kNow = absl::FromCivil(absl::CivilDay(2026, 11, 25), absl::UTCTimeZone());

Waiver MakeWaiver(const std::string& expiry = "2026-12-31") {
  Waiver waiver;
  waiver.set_rule("FIELD_NO_DELETE");
  waiver.set_symbol("acme.v1.Person.email");
  waiver.set_from("1.4.2");
  waiver.set_to("*");
  waiver.set_author("alice");
  waiver.set_reason("nobody reads it");
  waiver.set_expiry(expiry);
  return waiver;
}

Finding MakeFinding() {
  return {.rule = "FIELD_NO_DELETE", .symbol = "acme.v1.Person.email", .message = "deleted"};
}

size_t Remaining(const Finding& finding, const Waiver& waiver, const WaiverScope& scope) {
  return ApplyWaivers({finding}, {waiver}, scope).remaining.size();
}

TEST(WaiversTest, CoverTheirRuleSymbolAndVersions) {
  EXPECT_EQ(Remaining(MakeFinding(), MakeWaiver(), {.now = kNow}), 0u);
  EXPECT_EQ(Remaining(MakeFinding(), MakeWaiver(), {.from = "1.4.2", .to = "2.0.0", .now = kNow}),
            0u);
  EXPECT_EQ(Remaining(MakeFinding(), MakeWaiver(), {.from = "1.4.1", .now = kNow}), 1u);
  Finding other = MakeFinding();
  other.symbol = "acme.v1.Person.phone";
  EXPECT_EQ(Remaining(other, MakeWaiver(), {.now = kNow}), 1u);
  other = MakeFinding();
  other.rule = "FIELD_SAME_NUMBER";
  EXPECT_EQ(Remaining(other, MakeWaiver(), {.now = kNow}), 1u);
}

TEST(WaiversTest, CountToTheEndOfTheirLastDay) {
  EXPECT_EQ(Remaining(MakeFinding(), MakeWaiver("2026-11-25"), {.now = kNow}), 0u);
  EXPECT_EQ(Remaining(MakeFinding(), MakeWaiver("2026-11-25T00:00:01Z"), {.now = kNow}), 0u);
  const Waived expired = ApplyWaivers({MakeFinding()}, {MakeWaiver("2026-11-24")}, {.now = kNow});
  ASSERT_EQ(expired.remaining.size(), 1u);
  EXPECT_EQ(expired.remaining[0].message, "deleted (the waiver of alice expired on 2026-11-24)");
  // One that still counts is enough.
  EXPECT_TRUE(ApplyWaivers({MakeFinding()}, {MakeWaiver(), MakeWaiver("2026-11-24")}, {.now = kNow})
                  .remaining.empty());
}

TEST(WaiversTest, EveryFieldIsRequired) {
  EXPECT_TRUE(ValidateWaiver(MakeWaiver()).ok());
  const auto* fields = Waiver::descriptor();
  for (int i = 0; i < fields->field_count(); ++i) {
    Waiver waiver = MakeWaiver();
    waiver.GetReflection()->ClearField(&waiver, fields->field(i));
    EXPECT_THAT(std::string(ValidateWaiver(waiver).message()),
                ::testing::HasSubstr("has no `" + fields->field(i)->name() + "`"));
  }
}

}  // namespace
}  // namespace pinion::compat
