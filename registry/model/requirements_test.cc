#include "registry/model/requirements.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "google/protobuf/text_format.h"
#include "registry/model/errors.h"

namespace pinion::model {
namespace {

using registry::v1::PublishVersionRequest;
using ::testing::HasSubstr;

template <typename Message>
Message FromText(const std::string& text) {
  Message message;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &message)) << text;
  return message;
}

registry::v1::Service Database() {
  return FromText<registry::v1::Service>(
      "service { name: 'db/people' scheme: INTEGER } kind: DATABASE");
}

VersionList Steps(const std::vector<std::pair<std::string, routing::v1::VersionState>>& steps) {
  VersionList list(routing::v1::INTEGER);
  for (const auto& [name, state] : steps) EXPECT_TRUE(list.Add(name, state).ok());
  return list;
}

registry::v1::RequirementCheck Check(const VersionList& versions, const std::string& expression,
                                     const registry::v1::Service& required = Database()) {
  registry::v1::Requirement requirement;
  requirement.set_service(required.service().name());
  requirement.set_expression(expression);
  const auto parsed = ParseRequirement(required.service(), requirement);
  EXPECT_TRUE(parsed.ok()) << parsed.status();
  return CheckRequirement(required, versions, requirement, *parsed);
}

TEST(Requirements, WhatCanBeChosenSatisfies) {
  const VersionList steps = Steps({{"1", routing::v1::RETIRED},
                                   {"2", routing::v1::DEPRECATED},
                                   {"3", routing::v1::ACTIVE},
                                   {"4", routing::v1::PUBLISHED},
                                   {"5", routing::v1::SUNSET}});
  EXPECT_EQ(Check(steps, ">=2").satisfied_by(), "3");
  EXPECT_EQ(Check(steps, "<3").satisfied_by(), "2") << "a deprecated one does";
  EXPECT_EQ(Check(steps, "2").satisfied_by(), "2");
  for (const char* none : {"1", ">=4", "4", "5", "<2", "9"}) {
    EXPECT_EQ(Check(steps, none).satisfied_by(), "") << none;
    EXPECT_NE(Check(steps, none).message(), "") << none;
  }
}

TEST(Requirements, WhatIsMissingIsNamedWithWhatToDo) {
  const VersionList steps = Steps({{"1", routing::v1::RETIRED},
                                   {"2", routing::v1::PUBLISHED},
                                   {"3", routing::v1::PUBLISHED},
                                   {"7", routing::v1::SUNSET}});
  auto check = Check(steps, ">=1 <7");
  EXPECT_EQ(check.message(),
            "nothing active matches; published: 3, 2; retired for good: 1; activate it");
  EXPECT_EQ(check.command(), "pinion version activate db/people 2") << "one step after the other";
  check = Check(steps, "7");
  EXPECT_EQ(check.message(), "nothing active matches; past its sunset: 7; bring it back");
  EXPECT_EQ(check.command(), "pinion version reactivate db/people 7");
  check = Check(steps, "1");
  EXPECT_THAT(check.message(), HasSubstr("retired for good: 1; publish a version that"));
  EXPECT_EQ(check.command(), "");
  check = Check(steps, ">7");
  EXPECT_EQ(check.message(), "nothing that matches was published yet");
  EXPECT_EQ(check.command(), "pinion version publish db/people VERSION");
  auto ledger = FromText<registry::v1::Service>("service { name: 'ledger' scheme: INTEGER }");
  EXPECT_EQ(Check(steps, "2 || 3", ledger).command(), "pinion instance register ledger 3 HOST:PORT")
      << "of an API the newest";
}

TEST(Requirements, TheyDoNotMoveAndCanBeMet) {
  const auto reason = [](const std::string& expression) {
    registry::v1::Requirement requirement;
    requirement.set_service("db/people");
    requirement.set_expression(expression);
    return ReasonOf(ParseRequirement(Database().service(), requirement).status());
  };
  EXPECT_EQ(reason("@stable"), "REQUIREMENT_INVALID");
  EXPECT_EQ(reason(">3 <3"), "REQUIREMENT_INVALID");
  EXPECT_EQ(reason("^2"), "PIN_MALFORMED");
  EXPECT_EQ(reason(""), "PIN_MALFORMED");
  EXPECT_EQ(reason(">=2"), "");
}

TEST(Requirements, AServiceIsRequiredOnceAndNotTooMany) {
  const auto reason = [](const std::string& text) {
    return ReasonOf(ValidateRequirements(FromText<PublishVersionRequest>(text)));
  };
  const std::string one = "requirements { service: 'ledger' expression: '^1' }";
  EXPECT_EQ(reason(one), "");
  EXPECT_EQ(reason(one + "requirements { service: 'ledger' expression: '^2' }"),
            "REQUIREMENT_INVALID");
  EXPECT_EQ(reason("requirements { service: 'Led ger' expression: '^1' }"), "NAME_MALFORMED");
  std::string many;
  for (int i = 0; i <= kMaxRequirements; ++i) {
    many += absl::StrCat("requirements { service: 's-", i, "' expression: '^1' }");
  }
  EXPECT_EQ(reason(many), "LIMIT_EXCEEDED");
}

TEST(Requirements, AStepEndsOtherSteps) {
  const auto name = *version::VersionName::Parse(routing::v1::INTEGER, "3");
  const auto ends = [&name](const std::string& text) {
    return ParseEnds(Database().service(), name, text);
  };
  EXPECT_TRUE(ends("<3").ok());
  EXPECT_THAT(std::string(ends("<=3").status().message()), HasSubstr("includes itself"));
  EXPECT_EQ(ReasonOf(ends("@stable").status()), "REQUIREMENT_INVALID");
  EXPECT_EQ(ReasonOf(ends("<0").status()), "REQUIREMENT_INVALID");
}

TEST(Requirements, WhatIsLostAndWhatHasEnded) {
  VersionList steps =
      Steps({{"1", routing::v1::ACTIVE}, {"2", routing::v1::ACTIVE}, {"3", routing::v1::ACTIVE}});
  const auto parse = [](const std::string& text) {
    return *version::Expression::Parse(routing::v1::INTEGER, text);
  };
  for (const char* gone : {"1", "2"}) steps.SetState(gone, routing::v1::RETIRED);
  const std::vector<std::string> gone = {"1", "2"};
  EXPECT_TRUE(Loses(parse("<3"), gone, steps));
  EXPECT_TRUE(Loses(parse("2"), gone, steps));
  EXPECT_FALSE(Loses(parse(">=2"), gone, steps)) << "3 is left";
  EXPECT_FALSE(Loses(parse("7"), gone, steps)) << "it never had any";
  EXPECT_TRUE(RequirementEnded(steps, parse("<3")));
  EXPECT_FALSE(RequirementEnded(steps, parse(">=2")));
  EXPECT_FALSE(RequirementEnded(steps, parse("7"))) << "it may still come";
}

TEST(Requirements, EachKindOfServiceHasItsOwnWays) {
  registry::v1::Service api = FromText<registry::v1::Service>("service { name: 'ledger' }");
  auto request = FromText<PublishVersionRequest>("service: 'x' name: '3' ends: '<3'");
  EXPECT_EQ(ReasonOf(CheckKind(api, request)), "ARGUMENT_INVALID");
  EXPECT_TRUE(CheckKind(Database(), request).ok());
  request.set_descriptor_set("bytes");
  EXPECT_EQ(ReasonOf(CheckKind(Database(), request)), "ARGUMENT_INVALID");
  EXPECT_TRUE(CheckTakesCalls(api, "pins").ok());
  const absl::Status refused = CheckTakesCalls(Database(), "pins");
  EXPECT_EQ(ReasonOf(refused), "SERVICE_IS_DATABASE");
  EXPECT_THAT(std::string(refused.message()), HasSubstr("it has no pins"));
}

}  // namespace
}  // namespace pinion::model
