// Plans: whom a change would move, told by the code that makes it, and nothing made.
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/parsed_schema.h"
#include "tests/testing/registry_fixture.h"

namespace pinion::service {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class PlanTest : public RegistryFixture {
 protected:
  // addressbook 1.0.0, which is stable, and 2.0.0, which has another schema, both active.
  void SetUp() override {
    SetUpAddressBook();
    ASSERT_TRUE(Publish("addressbook", "2.0.0", DescriptorSetOf({"acme.AddressBook"}, 2)).ok());
    ASSERT_TRUE(Register("addressbook", "2.0.0", 9002).ok());
  }
  v1::PlanResponse PlanOf(const std::string& text) {
    const store::Revision before = store_.revision();
    const auto plan = Call(Plan, text);
    EXPECT_TRUE(plan.ok()) << text << plan.status();
    EXPECT_EQ(store_.revision(), before) << "a plan changes nothing";
    return plan.ok() ? *plan : v1::PlanResponse();
  }
  // "billing: ^1 1.0.0 > ^2 2.0.0" of each.
  static std::vector<std::string> Moves(const v1::PlanResponse& plan) {
    std::vector<std::string> texts;
    for (const v1::PlannedMove& move : plan.moves()) {
      texts.push_back(absl::StrCat(move.consumer(), move.method(), ": ", move.old_expression(), " ",
                                   move.old_version(), " > ", move.new_expression(), " ",
                                   move.new_version()));
    }
    return texts;
  }
  static std::string SetPinOf(const std::string& expression, const std::string& rest = "") {
    return absl::StrCat("set_pin { pin { consumer: 'billing' service: 'addressbook' expression: '",
                        expression, "' ", rest, " } }");
  }
  static std::string Book(const std::string& field, const std::string& version,
                          const std::string& rest = "") {
    return absl::StrCat(field, " { service: 'addressbook' name: '", version, "' ", rest, " }");
  }
};

TEST_F(PlanTest, APinsPlanSaysWhereItGoesAndWhatLiesBetween) {
  const v1::PlanResponse plan = PlanOf(SetPinOf("^2"));
  EXPECT_TRUE(plan.changes());
  EXPECT_THAT(Moves(plan), ElementsAre("billing: @stable 1.0.0 > ^2 2.0.0"));
  ASSERT_EQ(plan.steps_size(), 1);
  EXPECT_EQ(plan.steps(0).instances(), 1);
  EXPECT_GT(plan.steps(0).breaking(), 0);
  EXPECT_THAT(plan.steps(0).findings(0), HasSubstr("breaking: acme.AddressBookMessage"));

  ASSERT_TRUE(Pin("billing", "addressbook", "^2").ok());
  EXPECT_FALSE(PlanOf(SetPinOf("^2")).changes());
  EXPECT_THAT(Moves(PlanOf("rollback_pin { consumer: 'billing' service: 'addressbook' }")),
              IsEmpty())
      << "there is nothing to go back to";
  ASSERT_TRUE(Pin("billing", "addressbook", "1.0.0").ok());
  EXPECT_THAT(Moves(PlanOf("rollback_pin { consumer: 'billing' service: 'addressbook' }")),
              ElementsAre("billing: 1.0.0 1.0.0 > ^2 2.0.0"));
  EXPECT_THAT(Moves(PlanOf("unset_pin { consumer: 'billing' service: 'addressbook' }")),
              ElementsAre("billing: 1.0.0 1.0.0 > @stable 1.0.0"));
}

TEST_F(PlanTest, WhatCannotBeComparedIsSaidAndNoMore) {
  const struct {
    const char* version;
    int types;
    int port;
  } kVersions[] = {{"1.0.0", 2000, 9011}, {"2.0.0", 2001, 9012}};
  for (const auto& [version, types, port] : kVersions) {
    const std::string set = testing::CircleOfTypes(types).SerializeAsString();
    ASSERT_TRUE(Publish("round", version, set).ok());
    ASSERT_TRUE(Register("round", version, port).ok());
  }
  const v1::PlanResponse plan =
      PlanOf("set_pin { pin { consumer: 'billing' service: 'round' expression: '^2' } }");
  EXPECT_THAT(Moves(plan), ElementsAre("billing: @stable 1.0.0 > ^2 2.0.0"));
  EXPECT_THAT(plan.notes(),
              ElementsAre(HasSubstr("what breaks from 1.0.0 to 2.0.0 is not known: ")));
}

TEST_F(PlanTest, AMethodsPinStandsBeforeTheServices) {
  ASSERT_TRUE(Pin("billing", "addressbook", "2.0.0").ok());
  EXPECT_THAT(Moves(PlanOf(SetPinOf("1.0.0", "method: '/acme.AddressBook/Get'"))),
              ElementsAre("billing/acme.AddressBook/Get: 2.0.0 2.0.0 > 1.0.0 1.0.0"));
}

TEST_F(PlanTest, WhatWouldBeRefusedIsTold) {
  ASSERT_TRUE(Publish("addressbook", "3.0.0").ok());
  ASSERT_TRUE(Call(RetireVersion, "service: 'addressbook' name: '3.0.0'").ok());
  const v1::PlanResponse plan = PlanOf(SetPinOf("3.0.0"));
  EXPECT_EQ(plan.refusal_reason(), "VERSION_RETIRED");
  EXPECT_THAT(plan.refusal(), HasSubstr("3.0.0 is retired"));
  EXPECT_FALSE(plan.changes());
  EXPECT_THAT(Moves(plan), IsEmpty());
  EXPECT_EQ(Outcome(Call(Plan, SetPinOf("^9")).status()), "NOT_FOUND VERSION_NOT_FOUND");
  EXPECT_EQ(Outcome(Call(Plan, "").status()), "INVALID_ARGUMENT ARGUMENT_INVALID");
  EXPECT_EQ(Outcome(Call(Plan, "set_pin { pin { } }").status()), "INVALID_ARGUMENT NAME_MALFORMED");
}

TEST_F(PlanTest, MovingManyCountsThemAllAndNamesAThousand) {
  for (int i = 0; i < 1200; ++i) {
    const std::string name = absl::StrCat("c", i);
    ASSERT_TRUE(Call(CreateConsumer, absl::StrCat("consumer { name: '", name, "' }")).ok());
    ASSERT_TRUE(Pin(name, "addressbook", "^1").ok());
  }
  const v1::PlanResponse plan = PlanOf("move_pins { service: 'addressbook' from: '^1' to: '^2' }");
  EXPECT_TRUE(plan.changes());
  EXPECT_EQ(plan.moves_total(), 1200);
  EXPECT_EQ(plan.moves_size(), 1000);
  EXPECT_EQ(Moves(plan)[0], "c0: ^1 1.0.0 > ^2 2.0.0");
  ASSERT_EQ(plan.steps_size(), 1);
  EXPECT_EQ(plan.steps(0).consumers(), 1200);
  EXPECT_FALSE(PlanOf("move_pins { service: 'addressbook' from: '^2' to: '^1' }").changes())
      << "no pin says ^2";
}

TEST_F(PlanTest, AChannelMovesItsPinsItsDefaultsAndTheUnpinned) {
  ASSERT_TRUE(Pin("billing", "addressbook", "@stable").ok());
  ASSERT_TRUE(Call(CreateConsumer, "consumer { name: 'auto' default_channel: 'stable' }").ok());
  ASSERT_TRUE(Call(CreateConsumer, "consumer { name: 'pinned' default_channel: 'stable' }").ok());
  ASSERT_TRUE(Pin("pinned", "addressbook", "^1").ok());
  const v1::PlanResponse plan =
      PlanOf("set_channel { channel { service: 'addressbook' name: 'stable' version: '2.0.0' } }");
  EXPECT_TRUE(plan.changes());
  EXPECT_THAT(Moves(plan), ElementsAre("billing: @stable 1.0.0 > @stable 2.0.0",
                                       "auto: @stable 1.0.0 > @stable 2.0.0",
                                       ": @stable 1.0.0 > @stable 2.0.0"));
}

TEST_F(PlanTest, ARampMovesItsShareAndNobodyElse) {
  for (int i = 0; i < 200; ++i) {
    const std::string name = absl::StrCat("c", i);
    ASSERT_TRUE(Call(CreateConsumer, absl::StrCat("consumer { name: '", name, "' }")).ok());
    ASSERT_TRUE(Pin(name, "addressbook", "@stable").ok());
  }
  const std::string ramp =
      "service: 'addressbook' name: 'stable' ramp { version: '2.0.0' percent: 20 }";
  const v1::PlanResponse plan = PlanOf(absl::StrCat("ramp_channel { ", ramp, " }"));
  EXPECT_TRUE(plan.changes());
  EXPECT_GT(plan.moves_total(), 20);
  EXPECT_LT(plan.moves_total(), 60);
  ASSERT_TRUE(Call(RampChannel, ramp).ok());
  for (const v1::PlannedMove& move : plan.moves()) {
    const auto pin =
        Call(GetPin, absl::StrCat("consumer: '", move.consumer(), "' service: 'addressbook'"));
    EXPECT_EQ(pin->resolved_version(), "2.0.0") << move.consumer();
  }
  EXPECT_EQ(PlanOf("ramp_channel { service: 'addressbook' name: 'stable' }").moves_total(),
            plan.moves_total())
      << "and back";
  EXPECT_FALSE(PlanOf(absl::StrCat("ramp_channel { ", ramp, " }")).changes());
}

TEST_F(PlanTest, ARampMovesConsumersThatFollowTheChannelWithoutAPin) {
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(Call(CreateConsumer, absl::StrCat("consumer { name: 'c", i, "' default_channel: '",
                                                  i % 2 == 0 ? "" : "elsewhere", "' }"))
                    .ok());
  }
  const v1::PlanResponse plan = PlanOf(
      "ramp_channel { service: 'addressbook' name: 'stable' ramp { version: '2.0.0' percent: 30 } "
      "}");
  EXPECT_GT(plan.moves_total(), 10);
  EXPECT_LT(plan.moves_total(), 50);
  for (const v1::PlannedMove& move : plan.moves()) {
    EXPECT_NE(move.consumer(), "") << "who is not registered stays";
  }
}

TEST_F(PlanTest, ADeprecationMovesNobodyAndItsSunsetDoes) {
  ASSERT_TRUE(Pin("billing", "addressbook", ">=1 <3").ok());
  ASSERT_TRUE(Pin("shipping", "addressbook", "2.0.0").ok());
  EXPECT_THAT(Moves(PlanOf(Book("deprecate_version", "2.0.0"))), IsEmpty());
  const v1::PlanResponse plan =
      PlanOf(Book("deprecate_version", "2.0.0", "sunset_time { seconds: 4000000000 }"));
  EXPECT_TRUE(plan.changes());
  EXPECT_THAT(Moves(plan), ElementsAre("billing: >=1 <3 2.0.0 > >=1 <3 1.0.0"));
  EXPECT_THAT(plan.notes(0), HasSubstr("2096-10-02"));
  const v1::PlanResponse stable =
      PlanOf(Book("deprecate_version", "1.0.0", "sunset_time { seconds: 4000000000 }"));
  EXPECT_THAT(Moves(stable), ElementsAre(": @stable 1.0.0 > @stable "));
}

TEST_F(PlanTest, AnActivationMovesTheRangesThatItIsTheNewestOf) {
  ASSERT_TRUE(Publish("addressbook", "1.1.0").ok());
  ASSERT_TRUE(Pin("billing", "addressbook", "^1").ok());
  ASSERT_TRUE(Pin("shipping", "addressbook", "~1.0").ok());
  EXPECT_THAT(Moves(PlanOf(Book("activate_version", "1.1.0"))),
              ElementsAre("billing: ^1 1.0.0 > ^1 1.1.0"));
  EXPECT_FALSE(PlanOf(Book("activate_version", "1.0.0")).changes());

  ASSERT_TRUE(Publish("ledger", "1.0.0").ok());
  EXPECT_THAT(Moves(PlanOf("activate_version { service: 'ledger' name: '1.0.0' }")),
              ElementsAre(": @stable  > @stable 1.0.0"));
}

TEST_F(PlanTest, AnActivationSaysWhatItNeedsAndWhatItEnds) {
  ASSERT_TRUE(Call(CreateService, "service { name: 'db' scheme: INTEGER } kind: DATABASE").ok());
  ASSERT_TRUE(Call(PublishVersion, "service: 'db' name: '1'").ok());
  ASSERT_TRUE(Call(PublishVersion, "service: 'db' name: '2' ends: '<2'").ok());
  ASSERT_TRUE(Call(PublishVersion,
                   "service: 'addressbook' name: '3.0.0' requirements { service: 'db' expression: "
                   "'<2' }")
                  .ok());
  EXPECT_THAT(PlanOf(Book("activate_version", "3.0.0")).notes(0), HasSubstr("it requires db <2: "));
  const std::string activate = "activate_version { service: 'db' name: '2' }";
  ASSERT_TRUE(Call(ActivateVersion, "service: 'db' name: '1'").ok());
  EXPECT_THAT(PlanOf(activate).notes(0), HasSubstr("it ends 1 for good"));
  ASSERT_TRUE(Register("addressbook", "3.0.0", 9003).ok());
  const v1::PlanResponse plan = PlanOf(activate);
  EXPECT_EQ(plan.refusal_reason(), "VERSION_IN_USE");
  ASSERT_EQ(plan.blockers_size(), 1);
  EXPECT_EQ(plan.blockers(0).kind(), v1::RetirementBlocker::REQUIREMENT);
}

TEST_F(PlanTest, ARetirementNamesItsBlockersAndByForceWhomItCutsOff) {
  ASSERT_TRUE(Pin("billing", "addressbook", "1.0.0").ok());
  ASSERT_TRUE(Pin("shipping", "addressbook", "^1").ok());
  const v1::PlanResponse plan = PlanOf(Book("retire_version", "1.0.0"));
  EXPECT_EQ(plan.refusal_reason(), "VERSION_IN_USE");
  EXPECT_GT(plan.blockers_size(), 3);
  const v1::PlanResponse force = PlanOf(Book("retire_version", "1.0.0", "force: true"));
  EXPECT_TRUE(force.changes());
  EXPECT_THAT(Moves(force), ElementsAre("shipping: ^1 1.0.0 > ^1 ", ": @stable 1.0.0 > @stable ",
                                        "billing: 1.0.0 1.0.0 > 1.0.0 "));
}

TEST_F(PlanTest, WhatWasCalledIsTheEvidence) {
  ASSERT_TRUE(Publish("addressbook", "3.0.0", DescriptorSetOf({"acme.Other"})).ok());
  ASSERT_TRUE(Register("addressbook", "3.0.0", 9003).ok());
  for (const char* consumer : {"billing", "shipping"}) {
    ASSERT_TRUE(Pin(consumer, "addressbook", "^2").ok());
  }
  const std::string plan = SetPinOf("3.0.0");
  EXPECT_FALSE(PlanOf(plan).moves(0).has_calls()) << "nobody has reported: that is no evidence";
  const auto report = FromText<v1::ReportGatewayRequest>(absl::StrCat(
      "gateway_id: 'edge-1' start_id: 'a' sequence: 1 registry_id: '", registry_->id(), "' ",
      "interval { seconds: 30 } ",
      "usage { service: 'addressbook' version: '2.0.0' consumer: 'billing' ",
      "        method: '/acme.AddressBook/Get' calls: 14 } ",
      "usage { service: 'addressbook' version: '2.0.0' consumer: 'billing' calls: 2 } ",
      "usage { service: 'addressbook' version: '2.0.0' consumer: 'shipping' ",
      "        method: '/acme.AddressBook/Get' calls: 5 }"));
  ASSERT_TRUE(ReportGateway(*registry_, "ipv4:127.0.0.1", report).ok());

  const v1::PlanResponse one = PlanOf(plan);
  EXPECT_EQ(one.moves(0).calls(), 16);
  EXPECT_EQ(one.moves(0).last_call().seconds(), absl::ToUnixSeconds(clock_.Wall()));
  ASSERT_EQ(one.steps(0).missing_methods_size(), 1);
  EXPECT_EQ(one.steps(0).missing_methods(0).method(), "/acme.AddressBook/Get");
  EXPECT_EQ(one.steps(0).missing_methods(0).calls(), 14) << "shipping stays";
  EXPECT_THAT(one.steps(0).missing_methods(0).consumers(), ElementsAre("billing"));

  const v1::PlanResponse both =
      PlanOf("move_pins { service: 'addressbook' from: '^2' to: '3.0.0' }");
  EXPECT_EQ(both.steps(0).missing_methods(0).calls(), 19);
  EXPECT_THAT(both.steps(0).missing_methods(0).consumers(), ElementsAre("billing", "shipping"));
  EXPECT_EQ(PlanOf("set_pin { pin { consumer: 'billing' service: 'addressbook' expression: '3.0.0' "
                   "method: '/acme.AddressBook/Get' } }")
                .moves(0)
                .calls(),
            14);
}

TEST_F(PlanTest, AServiceThatIsServedNoLongerBreaks) {
  v1::PublishVersionRequest request;
  request.set_service("addressbook");
  request.set_name("4.0.0");
  request.set_descriptor_set(DescriptorSetOf({"acme.AddressBook", "acme.Notes"}, 2));
  request.add_grpc_services("acme.AddressBook");
  ASSERT_TRUE(Publish("addressbook", "3.0.0", request.descriptor_set()).ok());
  ASSERT_TRUE(PublishVersion(*registry_, ann_, request).ok());
  ASSERT_TRUE(Register("addressbook", "3.0.0", 9003).ok());
  ASSERT_TRUE(Register("addressbook", "4.0.0", 9004).ok());
  ASSERT_TRUE(Pin("billing", "addressbook", "3.0.0").ok());
  const v1::PlanResponse plan = PlanOf(SetPinOf("4.0.0"));
  ASSERT_EQ(plan.steps_size(), 1);
  EXPECT_EQ(plan.steps(0).breaking(), 1);
  EXPECT_THAT(plan.steps(0).findings(0), HasSubstr("breaking: acme.Notes"));
}

TEST_F(PlanTest, APlanSaysWhatThenHappens) {
  ASSERT_TRUE(Publish("addressbook", "1.1.0", DescriptorSetOf({"acme.AddressBook"})).ok());
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(Call(CreateConsumer, absl::StrCat("consumer { name: 'c", i, "' }")).ok());
    ASSERT_TRUE(Pin(absl::StrCat("c", i), "addressbook", i % 2 == 0 ? "^1" : ">=1.0.0").ok());
  }
  const v1::PlanResponse plan = PlanOf(Book("activate_version", "1.1.0"));
  ASSERT_TRUE(Register("addressbook", "1.1.0", 9003).ok());
  for (const v1::PlannedMove& move : plan.moves()) {
    const auto pin =
        Call(GetPin, absl::StrCat("consumer: '", move.consumer(), "' service: 'addressbook'"));
    EXPECT_EQ(pin->resolved_version(), move.new_version()) << move.consumer();
  }
  EXPECT_EQ(plan.moves_total(), 3) << ">=1.0.0 means 2.0.0 before and after";
}

}  // namespace
}  // namespace pinion::service
