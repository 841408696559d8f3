#include "clients/cli/plan_text.h"

#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"

namespace pinion::cli {
namespace {

std::string Text(const std::string& text) {
  v1::PlanResponse plan;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &plan));
  return PlanText(plan);
}

TEST(PlanText, SaysWhoMovesAndWhatLiesBetween) {
  EXPECT_EQ(
      Text(R"(changes: true moves_total: 22 usage_window { seconds: 1209600 }
      moves { consumer: "billing" old_expression: "@stable" old_version: "1.0.0"
              new_expression: "2.0.0" new_version: "2.0.0" calls: 14
              last_call { seconds: 1800000000 } }
      moves { old_expression: "@stable" old_version: "1.0.0" new_expression: "@stable" }
      steps { old_version: "1.0.0" new_version: "2.0.0" consumers: 1 instances: 2
              missing_methods { method: "/acme.A/Get" }
              missing_methods { method: "/acme.A/Put" calls: 0 }
              missing_methods { method: "/acme.A/Do" calls: 1 consumers: "billing" consumers: ""
                                last_call { seconds: 1800000000 } }
              breaking: 1 dangerous: 2
              findings: "breaking: acme.A: gone" })"),
      "billing: @stable (1.0.0) → 2.0.0; 14 calls in 14 days, the last at 2027-01-15 "
      "08:00:00Z\n"
      "callers without a pin: @stable (1.0.0) → @stable (refused)\n"
      "and 20 more; -o json names the first 2\n"
      "from 1.0.0 to 2.0.0, which has 2 instances\n"
      "  it does not have /acme.A/Get\n"
      "  it does not have /acme.A/Put; no calls in 14 days\n"
      "  it does not have /acme.A/Do; 1 call in 14 days, the last at 2027-01-15 08:00:00Z, by "
      "billing, callers that are not registered\n"
      "  for code written against 1.0.0: 1 breaking change, 2 dangerous\n"
      "    breaking: acme.A: gone\n"
      "    and more: pinion schema check lists them\n"
      "nothing has been changed\n");
}

TEST(PlanText, SaysThatNothingHappens) {
  EXPECT_EQ(Text(""), "it would change nothing\nnothing has been changed\n");
  EXPECT_EQ(Text("changes: true"), "nobody gets another version by it\nnothing has been changed\n");
}

TEST(PlanText, SaysWhyItIsRefused) {
  EXPECT_EQ(Text(R"(refusal: "a 1 is in use" refusal_reason: "VERSION_IN_USE"
      blockers { subject: "billing a" message: "is pinned to it" command: "pinion pin set" })"),
            "it would be refused (VERSION_IN_USE): a 1 is in use\n"
            "  billing a is pinned to it: pinion pin set\n");
}

}  // namespace
}  // namespace pinion::cli
