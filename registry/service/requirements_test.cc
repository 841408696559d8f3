// Requirements between versions: at publication, at activation, and as what keeps a version.
#include "registry/model/requirements.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "registry/model/keys.h"
#include "registry/service/operations.h"
#include "tests/testing/registry_fixture.h"

namespace pinion::service {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class RequirementsTest : public RegistryFixture {
 protected:
  // The steps 1, 2 and 3 of db/people, of which 3 ends what comes before it; 1 and 2 are active.
  void SetUpDatabase() {
    ASSERT_TRUE(
        Call(CreateService, "service { name: 'db/people' scheme: INTEGER } kind: DATABASE").ok());
    ASSERT_TRUE(Step("1").ok());
    ASSERT_TRUE(Step("2").ok());
    ASSERT_TRUE(Step("3", "ends: '<3'").ok());
    ASSERT_TRUE(Activate("1").ok());
    ASSERT_TRUE(Activate("2").ok());
  }
  absl::StatusOr<v1::PublishVersionResponse> Step(const std::string& name,
                                                  const std::string& rest = "") {
    return Call(PublishVersion, absl::StrCat("service: 'db/people' name: '", name, "' ", rest));
  }
  static std::string Name(const std::string& service, const std::string& name) {
    return absl::StrCat("service: '", service, "' name: '", name, "' ");
  }
  absl::StatusOr<v1::VersionStateResponse> Activate(const std::string& step) {
    return Call(ActivateVersion, Name("db/people", step));
  }
  // Publishes a version that requires `expression` of `required`.
  absl::StatusOr<v1::PublishVersionResponse> Requiring(const std::string& service,
                                                       const std::string& name,
                                                       const std::string& required,
                                                       const std::string& expression) {
    return Call(PublishVersion, absl::StrCat(Name(service, name), "requirements { service: '",
                                             required, "' expression: '", expression, "' }"));
  }
  v1::CheckDeploymentResponse Check(const std::string& service, const std::string& name) {
    return *Call(CheckDeployment, Name(service, name));
  }
  // "KIND subject: message" of each that keeps the version.
  std::vector<std::string> Blockers(const std::string& service, const std::string& name) {
    std::vector<std::string> texts;
    const auto found = Call(ListRetirementBlockers, Name(service, name));
    for (const auto& one : found->blockers()) {
      texts.push_back(absl::StrCat(v1::RetirementBlocker::Kind_Name(one.kind()), " ", one.subject(),
                                   ": ", one.message()));
    }
    return texts;
  }
  routing::v1::VersionState State(const std::string& service, const std::string& name) {
    return Call(GetVersion, Name(service, name))->version().state();
  }
  void RetireByForce(const std::string& service, const std::string& name) {
    ASSERT_TRUE(Call(RetireVersion, Name(service, name) + "force: true reason: 'test'").ok());
  }
  // Keys of the index on who requires what.
  int64_t Uses() {
    return store_.Range({.range = store::KeyRange::Prefix("records/requirement!")})->count;
  }
};

// ---- publication ----

TEST_F(RequirementsTest, WhatCannotBeMeantIsRefusedAndLeavesNothing) {
  SetUpDatabase();
  SetUpAddressBook();
  const auto before = store_.revision();
  const auto refused = [this](const std::string& text) {
    return Outcome(Call(PublishVersion, "name: '1.0.0' service: 'web' " + text).status());
  };
  const auto needs = [](const std::string& service, const std::string& expression) {
    return absl::StrCat("requirements { service: '", service, "' expression: '", expression, "' }");
  };
  EXPECT_EQ(refused(needs("adressbook", "^1")), "NOT_FOUND SERVICE_UNKNOWN");
  EXPECT_EQ(refused(needs("Address Book", "^1")), "INVALID_ARGUMENT NAME_MALFORMED");
  EXPECT_EQ(refused(needs("db/people!3", "1")), "INVALID_ARGUMENT NAME_MALFORMED");
  EXPECT_EQ(refused(needs("addressbook", "1")), "INVALID_ARGUMENT PIN_MALFORMED");
  EXPECT_EQ(refused(needs("db/people", "^1")), "INVALID_ARGUMENT PIN_MALFORMED");
  EXPECT_EQ(refused(needs("addressbook", "@stable")), "INVALID_ARGUMENT REQUIREMENT_INVALID");
  EXPECT_EQ(refused(needs("addressbook", ">2 <1")), "INVALID_ARGUMENT REQUIREMENT_INVALID");
  EXPECT_EQ(refused(needs("addressbook", "^1") + needs("addressbook", "^2")),
            "INVALID_ARGUMENT REQUIREMENT_INVALID");
  EXPECT_EQ(refused("ends: '<1.0.0'"), "INVALID_ARGUMENT ARGUMENT_INVALID") << "it is an API";
  EXPECT_EQ(Outcome(Step("4", "ends: '<=4'").status()), "INVALID_ARGUMENT REQUIREMENT_INVALID");
  EXPECT_EQ(Outcome(Step("4", "ends: '@stable'").status()), "INVALID_ARGUMENT REQUIREMENT_INVALID");
  EXPECT_EQ(Outcome(Step("4", "ends: '^3'").status()), "INVALID_ARGUMENT PIN_MALFORMED");
  EXPECT_EQ(Outcome(Step("1.0.0").status()), "INVALID_ARGUMENT NAME_MALFORMED");
  EXPECT_EQ(store_.revision(), before);
  EXPECT_EQ(Outcome(Publish("db/people", "4", DescriptorSetOf({"acme.People"})).status()),
            "INVALID_ARGUMENT ARGUMENT_INVALID");
}

TEST_F(RequirementsTest, WhatIsNotPublishedYetMayBeRequired) {
  SetUpAddressBook();
  const auto made = Requiring("web", "1.0.0", "addressbook", " ^7 ");
  ASSERT_TRUE(made.ok()) << made.status();
  EXPECT_EQ(made->version().requirements(0).expression(), "^7");
  EXPECT_TRUE(Register("web", "1.0.0", 9010).ok()) << "things ship in any order";
}

TEST_F(RequirementsTest, TheSameAgainSaysTheSame) {
  SetUpAddressBook();
  SetUpDatabase();
  ASSERT_TRUE(Requiring("web", "1.0.0", "addressbook", "^1").ok());
  EXPECT_FALSE(Requiring("web", "1.0.0", "addressbook", "^1 ")->created());
  const absl::Status other = Requiring("web", "1.0.0", "addressbook", "^2").status();
  EXPECT_EQ(Outcome(other), "ALREADY_EXISTS VERSION_EXISTS");
  EXPECT_THAT(std::string(other.message()),
              HasSubstr("requires addressbook ^1, this one requires addressbook ^2"));
  EXPECT_EQ(Outcome(Publish("web", "1.0.0").status()), "ALREADY_EXISTS VERSION_EXISTS");
  EXPECT_FALSE(Step("3", "ends: '< 3'")->created());
  EXPECT_EQ(Outcome(Step("3").status()), "ALREADY_EXISTS VERSION_EXISTS");
}

TEST_F(RequirementsTest, WhatCouldOnlyBeDeployedAfterItselfIsRefused) {
  ASSERT_TRUE(Publish("a", "1.0.0").ok());
  ASSERT_TRUE(Requiring("b", "1.0.0", "a", "^2").ok());
  const absl::Status cyclic = Requiring("a", "2.0.0", "b", "^1").status();
  EXPECT_EQ(Outcome(cyclic), "FAILED_PRECONDITION REQUIREMENT_CYCLIC");
  EXPECT_THAT(
      std::string(cyclic.message()),
      HasSubstr("a 2.0.0 requires b ^1, b 1.0.0 requires a ^2, which leads back to a 2.0.0"));
  EXPECT_EQ(Outcome(Call(GetVersion, Name("a", "2.0.0")).status()), "NOT_FOUND VERSION_NOT_FOUND");
  // An older b does without a 2.
  ASSERT_TRUE(Publish("b", "0.9.0").ok());
  EXPECT_TRUE(Requiring("a", "2.0.0", "b", ">=0.9").ok());
}

// ---- who needs a version ----

TEST_F(RequirementsTest, ALiveVersionKeepsWhatNothingElseSatisfies) {
  SetUpAddressBook();
  ASSERT_TRUE(Requiring("web", "1.0.0", "addressbook", "^1").ok());
  const auto keeps = [this](const std::string& name) {
    const auto blockers = Blockers("addressbook", name);
    return std::count(blockers.begin(), blockers.end(),
                      "REQUIREMENT web 1.0.0: requires addressbook ^1, and nothing else active "
                      "matches");
  };
  EXPECT_EQ(keeps("1.0.0"), 0) << "nobody runs it yet";
  ASSERT_TRUE(Register("web", "1.0.0", 9010).ok());
  EXPECT_EQ(keeps("1.0.0"), 1);
  ASSERT_TRUE(Publish("addressbook", "1.1.0").ok());
  EXPECT_EQ(keeps("1.0.0"), 1) << "what is only published does not serve";
  ASSERT_TRUE(Register("addressbook", "1.1.0", 9002).ok());
  EXPECT_EQ(keeps("1.0.0"), 0);
  EXPECT_EQ(keeps("1.1.0"), 0);
  ASSERT_TRUE(Call(DeprecateVersion, Name("addressbook", "1.1.0")).ok());
  EXPECT_EQ(keeps("1.0.0"), 0) << "a deprecated one still serves";
  RetireByForce("addressbook", "1.1.0");
  EXPECT_EQ(keeps("1.0.0"), 1);
  // Deprecated or not, it lives until it is retired.
  ASSERT_TRUE(Call(DeprecateVersion, Name("web", "1.0.0")).ok());
  EXPECT_EQ(keeps("1.0.0"), 1);
  EXPECT_EQ(Uses(), 1);
  RetireByForce("web", "1.0.0");
  EXPECT_EQ(keeps("1.0.0"), 0);
  EXPECT_EQ(Uses(), 0);
}

TEST_F(RequirementsTest, ARefusalAndForceNameRequirements) {
  SetUpAddressBook();
  ASSERT_TRUE(Requiring("web", "1.0.0", "addressbook", "^1").ok());
  ASSERT_TRUE(Register("web", "1.0.0", 9010).ok());
  const absl::Status refused = Call(RetireVersion, Name("addressbook", "1.0.0")).status();
  EXPECT_THAT(std::string(refused.message()), HasSubstr("1 requirement"));
  RetireByForce("addressbook", "1.0.0");
  const auto log = Call(ListAuditRecords, "object_contains: 'addressbook 1.0.0'");
  EXPECT_THAT(log->records(1).overridden(), HasSubstr("1 requirement"));
  // It goes on running, and another instance of it is nothing new.
  EXPECT_TRUE(Register("web", "1.0.0", 9011).ok());
  // What would begin to live now could never work.
  ASSERT_TRUE(Requiring("web", "1.1.0", "addressbook", "^1").ok());
  const absl::Status ended = Register("web", "1.1.0", 9012).status();
  EXPECT_EQ(Outcome(ended), "FAILED_PRECONDITION REQUIREMENT_ENDED");
  EXPECT_THAT(std::string(ended.message()),
              HasSubstr("it requires addressbook ^1, and nothing active matches; retired for good: "
                        "1.0.0"));
  EXPECT_EQ(State("web", "1.1.0"), routing::v1::PUBLISHED);
  ASSERT_TRUE(Publish("addressbook", "1.2.0").ok());
  ASSERT_TRUE(Register("addressbook", "1.2.0", 9003).ok());
  EXPECT_TRUE(Register("web", "1.1.0", 9012).ok());
}

// ---- databases ----

TEST_F(RequirementsTest, ADatabaseTakesNoCalls) {
  SetUpAddressBook();
  SetUpDatabase();
  const std::string outcome = "FAILED_PRECONDITION SERVICE_IS_DATABASE";
  EXPECT_EQ(Outcome(Register("db/people", "1", 9020).status()), outcome);
  EXPECT_EQ(Outcome(Pin("billing", "db/people", "1").status()), outcome);
  EXPECT_EQ(Outcome(Call(SetChannel, "channel { service: 'db/people' name: 'stable' version: '1' }")
                        .status()),
            outcome);
  EXPECT_THAT(Call(ListChannels, "service: 'db/people'")->channels(), IsEmpty());
  EXPECT_EQ(Call(GetService, "name: 'db/people'")->kind(), v1::Service::DATABASE);
  EXPECT_EQ(Call(GetService, "name: 'addressbook'")->kind(), v1::Service::API);
  EXPECT_EQ(Outcome(Call(CreateService, "service { name: 'db/people' scheme: INTEGER }").status()),
            "ALREADY_EXISTS SERVICE_EXISTS");
  EXPECT_TRUE(
      Call(CreateService, "service { name: 'db/people' scheme: INTEGER } kind: DATABASE").ok());
}

TEST_F(RequirementsTest, StepsAreActivatedByHandAndApisAreNot) {
  SetUpAddressBook();
  SetUpDatabase();
  EXPECT_EQ(State("db/people", "2"), routing::v1::ACTIVE);
  EXPECT_EQ(NewestAudit().command(), "version.activate");
  EXPECT_TRUE(Call(GetVersion, Name("db/people", "2"))->has_activate_time());
  EXPECT_FALSE(Activate("2")->changed());
  const absl::Status api = Call(ActivateVersion, Name("addressbook", "1.0.0")).status();
  EXPECT_EQ(Outcome(api), "FAILED_PRECONDITION SERVICE_IS_API");
  EXPECT_THAT(std::string(api.message()), HasSubstr("pinion instance register addressbook 1.0.0"));
  EXPECT_EQ(Outcome(Activate("9").status()), "NOT_FOUND VERSION_NOT_FOUND");
  EXPECT_EQ(
      Outcome(Call(ActivateVersion, Name("db/people", "3") + "expected_revision: 1").status()),
      "ABORTED REVISION_CONFLICT");
  ASSERT_TRUE(Call(DeprecateVersion, Name("db/people", "1")).ok());
  EXPECT_EQ(Outcome(Activate("1").status()), "FAILED_PRECONDITION VERSION_WAS_ACTIVE");
  ASSERT_TRUE(Call(RetireVersion, Name("db/people", "1")).ok());
  EXPECT_EQ(Outcome(Activate("1").status()), "FAILED_PRECONDITION VERSION_RETIRED");
}

TEST_F(RequirementsTest, AStepEndsOthersOnceNothingLiveNeedsThem) {
  SetUpAddressBook();
  SetUpDatabase();
  ASSERT_TRUE(Requiring("addressbook", "1.5.0", "db/people", "<3").ok());
  ASSERT_TRUE(Requiring("addressbook", "2.0.0", "db/people", "2").ok());
  ASSERT_TRUE(Requiring("addressbook", "2.1.0", "db/people", ">=2").ok());
  for (const char* name : {"1.5.0", "2.0.0", "2.1.0"}) {
    ASSERT_TRUE(Register("addressbook", name, 9003).ok());
  }
  auto check = Check("db/people", "3");
  EXPECT_FALSE(check.can_deploy());
  EXPECT_THAT(check.ends(), ElementsAre("1", "2"));
  ASSERT_EQ(check.needed_by_size(), 2);
  EXPECT_EQ(check.needed_by(0).subject(), "addressbook 1.5.0");
  EXPECT_EQ(check.needed_by(0).message(), "requires db/people <3, and nothing else active matches");
  EXPECT_EQ(check.needed_by(0).command(), "pinion version retire addressbook 1.5.0");
  EXPECT_EQ(check.needed_by(1).subject(), "addressbook 2.0.0");
  const auto before = store_.revision();
  const absl::Status refused = Activate("3").status();
  EXPECT_EQ(Outcome(refused), "FAILED_PRECONDITION VERSION_IN_USE");
  EXPECT_THAT(std::string(refused.message()),
              HasSubstr("db/people 3 cannot be activated yet: 2 requirements; `pinion can-deploy "
                        "db/people 3`"));
  EXPECT_EQ(store_.revision(), before);

  RetireByForce("addressbook", "1.5.0");
  EXPECT_FALSE(Check("db/people", "3").can_deploy());
  RetireByForce("addressbook", "2.0.0");
  EXPECT_TRUE(Check("db/people", "3").can_deploy());
  const auto made = Activate("3");
  ASSERT_TRUE(made.ok()) << made.status();
  EXPECT_THAT(made->ended(), ElementsAre("1", "2"));
  for (const char* step : {"1", "2"}) {
    EXPECT_EQ(State("db/people", step), routing::v1::RETIRED);
    EXPECT_TRUE(Call(GetVersion, Name("db/people", step))->has_retire_time());
    const auto log =
        Call(ListAuditRecords, absl::StrCat("object_contains: 'db/people ", step, "'"));
    EXPECT_EQ(log->records(0).command(), "version.retire");
    EXPECT_EQ(log->records(0).reason(), "db/people 3 ends it");
    EXPECT_EQ(log->records(0).revision(), store_.revision()) << "in the same change";
  }
  // For good.
  ASSERT_TRUE(Requiring("addressbook", "1.6.0", "db/people", "<3").ok());
  EXPECT_FALSE(Check("addressbook", "1.6.0").can_deploy());
  EXPECT_EQ(Outcome(Register("addressbook", "1.6.0", 9004).status()),
            "FAILED_PRECONDITION REQUIREMENT_ENDED");
  EXPECT_TRUE(Check("addressbook", "2.1.0").can_deploy());
  EXPECT_TRUE(Check("db/people", "3").can_deploy());
  EXPECT_FALSE(Check("db/people", "2").can_deploy()) << "it is retired";
}

// A step that was never activated is ended like the others, and what waits for it keeps it.
TEST_F(RequirementsTest, AStepThatNeverCameIsEndedToo) {
  SetUpAddressBook();
  SetUpDatabase();
  ASSERT_TRUE(Step("5").ok());
  ASSERT_TRUE(Step("6", "ends: '<6'").ok());
  ASSERT_TRUE(Requiring("addressbook", "1.5.0", "db/people", "5").ok());
  ASSERT_TRUE(Register("addressbook", "1.5.0", 9003).ok());
  EXPECT_EQ(Outcome(Activate("6").status()), "FAILED_PRECONDITION VERSION_IN_USE");
  RetireByForce("addressbook", "1.5.0");
  EXPECT_THAT(Activate("6")->ended(), ElementsAre("1", "2", "3", "5"));
  EXPECT_EQ(Outcome(Activate("5").status()), "FAILED_PRECONDITION VERSION_RETIRED");
}

TEST_F(RequirementsTest, AStepMayRequireTheOneBeforeItThatItEnds) {
  SetUpDatabase();
  ASSERT_TRUE(Call(PublishVersion, Name("db/people", "4") +
                                       "ends: '<4' requirements { service: 'db/people' "
                                       "expression: '2' }")
                  .ok());
  EXPECT_TRUE(Check("db/people", "4").can_deploy());
  const auto made = Activate("4");
  ASSERT_TRUE(made.ok()) << made.status();
  EXPECT_THAT(made->ended(), ElementsAre("1", "2", "3"));
}

TEST_F(RequirementsTest, MoreStepsThanOneChangeEndsAreToBeRetiredBefore) {
  SetUpDatabase();
  for (size_t i = 4; i <= model::kMaxEnded + 1; ++i) ASSERT_TRUE(Step(absl::StrCat(i)).ok());
  ASSERT_TRUE(Step("100", "ends: '<100'").ok());
  EXPECT_EQ(Outcome(Activate("100").status()), "RESOURCE_EXHAUSTED LIMIT_EXCEEDED");
  RetireByForce("db/people", "1");
  const auto made = Activate("100");
  ASSERT_TRUE(made.ok()) << made.status();
  EXPECT_EQ(made->ended_size(), static_cast<int>(model::kMaxEnded));
}

// ---- can it be deployed ----

TEST_F(RequirementsTest, DeploymentWaitsForWhatIsRequired) {
  SetUpAddressBook();
  SetUpDatabase();
  ASSERT_TRUE(Call(PublishVersion, Name("web", "1.0.0") +
                                       "requirements { service: 'db/people' expression: '>=3' } "
                                       "requirements { service: 'addressbook' expression: '^1' }")
                  .ok());
  auto check = Check("web", "1.0.0");
  EXPECT_FALSE(check.can_deploy());
  EXPECT_EQ(check.state(), routing::v1::PUBLISHED);
  EXPECT_EQ(check.requirements(0).satisfied_by(), "");
  EXPECT_EQ(check.requirements(0).command(), "pinion version activate db/people 3");
  EXPECT_EQ(check.requirements(1).satisfied_by(), "1.0.0");
  ASSERT_TRUE(Activate("3").ok());
  check = Check("web", "1.0.0");
  EXPECT_TRUE(check.can_deploy());
  EXPECT_EQ(check.requirements(0).satisfied_by(), "3");
  EXPECT_EQ(Outcome(Call(CheckDeployment, Name("web", "1.0.1")).status()),
            "NOT_FOUND VERSION_NOT_FOUND");
  EXPECT_EQ(Outcome(Call(CheckDeployment, Name("wep", "1.0.0")).status()),
            "NOT_FOUND SERVICE_UNKNOWN");
}

}  // namespace
}  // namespace pinion::service
