// Pins: setting, rolling back, their history, and what concurrent callers see.
#include <atomic>
#include <thread>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "registry/model/keys.h"
#include "registry/model/resolutions.h"
#include "tests/testing/registry_fixture.h"

namespace pinion::service {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr char kBilling[] = R"(consumer: "billing" service: "addressbook")";

class PinsTest : public RegistryFixture {
 protected:
  void SetUp() override {
    SetUpAddressBook();
    ASSERT_TRUE(Publish("addressbook", "2.0.0").ok());
    ASSERT_TRUE(Register("addressbook", "2.0.0", 9002).ok());
  }
  // "sequence kind old>new" of each change, newest first.
  std::vector<std::string> History() {
    std::vector<std::string> texts;
    const auto history = Call(ListPinHistory, kBilling);
    for (const auto& change : history->changes()) {
      texts.push_back(std::to_string(change.sequence()) + " " +
                      v1::PinChange::Kind_Name(change.kind()) + " " + change.old_expression() +
                      ">" + change.expression());
    }
    return texts;
  }
};

TEST_F(PinsTest, AFirstCallsProposalMakesThePinOnce) {
  ASSERT_TRUE(Call(UpdateService, R"(name: "addressbook" unpinned { pin_on_first_call {} })").ok());
  ASSERT_TRUE(Call(UpdateConsumer, R"(consumer { name: "billing" } owner: "team-billing")").ok());
  const auto propose = [this](const std::string& version, const std::string& consumer = "billing") {
    v1::PinProposal proposal;
    proposal.set_consumer(consumer);
    proposal.set_service("addressbook");
    proposal.set_version(version);
    return service::Run(*registry_, ProposePin, Caller{"gateway/edge-1"}, proposal);
  };
  const auto made = propose("1.0.0");
  ASSERT_TRUE(made.ok()) << made.status();
  EXPECT_TRUE(made->changed());
  EXPECT_EQ(made->pin().pin().expression(), "1.0.0");
  EXPECT_EQ(made->pin().resolved_version(), "1.0.0");
  EXPECT_EQ(made->pin().meta().owner(), "team-billing");
  EXPECT_EQ(made->pin().meta().created_by(), "gateway/edge-1");
  EXPECT_EQ(made->pin().meta().revision(), store_.revision());
  EXPECT_EQ(NewestAudit().command(), "pin.propose");
  EXPECT_EQ(NewestAudit().actor(), "gateway/edge-1");
  EXPECT_EQ(NewestAudit().revision(), store_.revision());
  EXPECT_THAT(History(), ElementsAre("1 SET >1.0.0"));

  const store::Revision before = store_.revision();
  const auto again = propose("2.0.0");
  EXPECT_FALSE(again->changed());
  EXPECT_EQ(again->pin().pin().expression(), "1.0.0");
  ASSERT_TRUE(Pin("shipping", "addressbook", "^2").ok());
  EXPECT_FALSE(propose("1.0.0", "shipping")->changed()) << "a person was first";
  EXPECT_EQ(store_.revision(), before + 1);
}

TEST_F(PinsTest, ProposalsThatDoNotHoldAnyMoreAreRefused) {
  ASSERT_TRUE(Publish("addressbook", "3.0.0").ok());
  ASSERT_TRUE(
      Call(CreateService, R"(service { name: "other" scheme: SEMVER unpinned { reject {} } })")
          .ok());
  const store::Revision before = store_.revision();
  const auto propose = [this](const std::string& text) {
    return Outcome(Call(ProposePin, text).status());
  };
  EXPECT_EQ(propose(R"(consumer: "billing" service: "addressbook" version: "1.0.0")"),
            "FAILED_PRECONDITION POLICY_CHANGED");
  EXPECT_EQ(propose(R"(consumer: "billing" service: "other" version: "1.0.0")"),
            "FAILED_PRECONDITION POLICY_CHANGED");
  EXPECT_EQ(store_.revision(), before);
  ASSERT_TRUE(Call(UpdateService, R"(name: "addressbook" unpinned { pin_on_first_call {} })").ok());
  const struct {
    const char* text;
    const char* outcome;
  } kCases[] = {
      {R"(consumer: "nobody" service: "addressbook" version: "1.0.0")",
       "NOT_FOUND CONSUMER_UNKNOWN"},
      {R"(consumer: "billing" service: "nothing" version: "1.0.0")", "NOT_FOUND SERVICE_UNKNOWN"},
      {R"(consumer: "billing" service: "addressbook" version: "1.0.1")",
       "NOT_FOUND VERSION_NOT_FOUND"},
      {R"(consumer: "billing" service: "addressbook" version: "3.0.0")",
       "FAILED_PRECONDITION VERSION_NOT_ALLOWED"},
      {R"(consumer: "" service: "addressbook" version: "1.0.0")",
       "INVALID_ARGUMENT NAME_MALFORMED"},
      {R"(consumer: "billing" service: "addressbook" version: "^1")",
       "NOT_FOUND VERSION_NOT_FOUND"},
  };
  for (const auto& c : kCases) EXPECT_EQ(propose(c.text), c.outcome) << c.text;
  EXPECT_EQ(store_.revision(), before + 1);
}

TEST_F(PinsTest, ManyGatewaysProposeOnePin) {
  ASSERT_TRUE(Call(UpdateService, R"(name: "addressbook" unpinned { pin_on_first_call {} })").ok());
  std::atomic<int> made = 0;
  std::vector<std::thread> gateways;
  for (int i = 0; i < 8; ++i) {
    gateways.emplace_back([registry = registry_.get(), &made, i] {
      v1::PinProposal proposal;
      proposal.set_consumer("billing");
      proposal.set_service("addressbook");
      proposal.set_version(i % 2 == 0 ? "1.0.0" : "2.0.0");
      const auto pin =
          service::Run(*registry, ProposePin, Caller{"gateway/" + std::to_string(i)}, proposal);
      EXPECT_TRUE(pin.ok()) << pin.status();
      made += pin->changed() ? 1 : 0;
    });
  }
  for (std::thread& gateway : gateways) gateway.join();
  EXPECT_EQ(made, 1);
  EXPECT_EQ(History().size(), 1u);
}

TEST_F(PinsTest, SetAndSetAgain) {
  const auto set = Pin("billing", "addressbook", "^1");
  ASSERT_TRUE(set.ok()) << set.status();
  EXPECT_TRUE(set->changed());
  EXPECT_EQ(set->pin().resolved_version(), "1.0.0");
  EXPECT_EQ(set->pin().meta().revision(), store_.revision());
  EXPECT_EQ(set->old_expression(), "");
  const store::Revision before = store_.revision();
  const auto again = Pin("billing", "addressbook", "^1");
  EXPECT_FALSE(again->changed());
  EXPECT_EQ(again->pin().meta().revision(), before);
  EXPECT_EQ(store_.revision(), before);
  const auto bumped = Pin("billing", "addressbook", "^2");
  EXPECT_EQ(bumped->old_expression(), "^1");
  EXPECT_EQ(bumped->old_version(), "1.0.0");
  EXPECT_EQ(bumped->pin().resolved_version(), "2.0.0");
  EXPECT_EQ(bumped->pin().sequence(), 2);
  EXPECT_EQ(NewestAudit().command(), "pin.set");
  EXPECT_EQ(NewestAudit().object(), "billing addressbook");
  EXPECT_THAT(NewestAudit().old_value(), HasSubstr("\"expression\":\"^1\""));
  EXPECT_THAT(NewestAudit().new_value(), HasSubstr("\"expression\":\"^2\""));
}

TEST_F(PinsTest, RollbackIsAnOrdinaryChange) {
  ASSERT_TRUE(Pin("billing", "addressbook", "^1").ok());
  EXPECT_EQ(Outcome(Call(RollbackPin, kBilling).status()),
            "FAILED_PRECONDITION NOTHING_TO_ROLL_BACK");
  ASSERT_TRUE(Pin("billing", "addressbook", "^2").ok());
  const auto back = Call(RollbackPin, std::string(kBilling) + " reason: 'it broke'");
  ASSERT_TRUE(back.ok()) << back.status();
  EXPECT_EQ(back->pin().pin().expression(), "^1");
  EXPECT_EQ(back->pin().resolved_version(), "1.0.0");
  EXPECT_EQ(back->old_expression(), "^2");
  EXPECT_EQ(Call(RollbackPin, kBilling)->pin().pin().expression(), "^2");
  EXPECT_THAT(History(),
              ElementsAre("4 ROLLBACK ^1>^2", "3 ROLLBACK ^2>^1", "2 SET ^1>^2", "1 SET >^1"));
  const auto history = Call(ListPinHistory, kBilling);
  EXPECT_EQ(history->changes(1).reason(), "it broke");
  EXPECT_EQ(history->changes(1).returns_to(), 1);
  EXPECT_EQ(history->changes(1).actor(), "ann");
  EXPECT_EQ(history->changes(0).revision(), store_.revision());
  EXPECT_EQ(Call(RollbackPin, std::string(kBilling) + " to_sequence: 1")->pin().pin().expression(),
            "^1");
  EXPECT_EQ(NewestAudit().command(), "pin.rollback");
}

TEST_F(PinsTest, HistoryOutlivesThePin) {
  ASSERT_TRUE(Pin("billing", "addressbook", "^1").ok());
  EXPECT_EQ(Call(UnsetPin, kBilling)->old_expression(), "^1");
  EXPECT_EQ(Outcome(Call(GetPin, kBilling).status()), "NOT_FOUND PIN_NOT_FOUND");
  const store::Revision before = store_.revision();
  EXPECT_TRUE(Call(UnsetPin, kBilling).ok());
  EXPECT_EQ(store_.revision(), before) << "it was gone already";
  EXPECT_EQ(Call(RollbackPin, kBilling)->pin().pin().expression(), "^1");
  EXPECT_THAT(History(), ElementsAre("3 ROLLBACK >^1", "2 UNSET ^1>", "1 SET >^1"));
}

TEST_F(PinsTest, Refusals) {
  const struct {
    std::string consumer, service, expression, outcome, message;
  } kCases[] = {
      {"biling", "addressbook", "^1", "NOT_FOUND CONSUMER_UNKNOWN", "nearest: billing"},
      {"billing", "adressbook", "^1", "NOT_FOUND SERVICE_UNKNOWN", "nearest: addressbook"},
      {"billing", "addressbook", "1", "INVALID_ARGUMENT PIN_MALFORMED", "^1"},
      {"billing", "addressbook", "^^1", "INVALID_ARGUMENT PIN_MALFORMED", ""},
      {"billing", "addressbook", "1.0.1", "NOT_FOUND VERSION_NOT_FOUND", "nearest: 1.0.0, 2.0.0"},
      {"billing", "addressbook", "^3", "NOT_FOUND VERSION_NOT_FOUND", "it has 2.0.0, 1.0.0"},
      {"billing", "addressbook", "@stabel", "NOT_FOUND CHANNEL_NOT_FOUND", "nearest: stable"},
      {"bill ing", "addressbook", "^1", "INVALID_ARGUMENT NAME_MALFORMED", ""},
  };
  for (const auto& c : kCases) {
    const store::Revision before = store_.revision();
    const absl::Status status = Pin(c.consumer, c.service, c.expression).status();
    EXPECT_EQ(Outcome(status), c.outcome) << c.expression;
    EXPECT_THAT(std::string(status.message()), HasSubstr(c.message));
    EXPECT_EQ(store_.revision(), before);
  }
}

TEST_F(PinsTest, APublishedVersionCanBePinnedBeforeItRuns) {
  ASSERT_TRUE(Publish("addressbook", "3.0.0").ok());
  const auto pin = Pin("billing", "addressbook", "^3");
  ASSERT_TRUE(pin.ok()) << pin.status();
  EXPECT_EQ(pin->pin().resolved_version(), "");
  const auto activated = Register("addressbook", "3.0.0", 9003);
  EXPECT_EQ(activated->moved(0).consumers(), 1);
  EXPECT_EQ(Call(GetPin, kBilling)->resolved_version(), "3.0.0");
}

TEST_F(PinsTest, ExpectedRevisionsDecideRaces) {
  const std::string set = R"(pin { consumer: "billing" service: "addressbook" expression: "^1" })";
  const auto first = Call(SetPin, set + " expected_revision: 0");
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_EQ(Outcome(Call(SetPin, set + " expected_revision: 0").status()),
            "ABORTED REVISION_CONFLICT");
  const std::string current =
      " expected_revision: " + std::to_string(first->pin().meta().revision());
  EXPECT_TRUE(
      Call(SetPin,
           R"(pin { consumer: "billing" service: "addressbook" expression: "^2" })" + current)
          .ok());
  EXPECT_EQ(Outcome(Call(RollbackPin, kBilling + current).status()), "ABORTED REVISION_CONFLICT");
  EXPECT_EQ(Outcome(Call(UnsetPin, kBilling + current).status()), "ABORTED REVISION_CONFLICT");
}

TEST_F(PinsTest, MethodPinsNameMethodsOfTheService) {
  const std::string head =
      R"(pin { consumer: "billing" service: "addressbook" expression: "^2" method: )";
  EXPECT_EQ(Outcome(Call(SetPin, head + R"("/acme.Other/Get" })").status()),
            "NOT_FOUND METHOD_UNKNOWN");
  EXPECT_EQ(Outcome(Call(SetPin, head + R"("Get" })").status()), "INVALID_ARGUMENT NAME_MALFORMED");
  ASSERT_TRUE(Call(SetPin, head + R"("/acme.AddressBook/Get" })").ok());
  ASSERT_TRUE(Pin("billing", "addressbook", "^1").ok());
  ASSERT_TRUE(Pin("shipping", "addressbook", "^2").ok());
  EXPECT_EQ(Call(ListPins, R"(consumer: "billing")")->pins_size(), 2);
  EXPECT_EQ(Call(ListPins, R"(service: "addressbook")")->pins_size(), 3);
  const auto all = Call(ListPins, "");
  ASSERT_EQ(all->pins_size(), 3);
  EXPECT_EQ(all->pins(1).pin().method(), "/acme.AddressBook/Get");
  EXPECT_EQ(all->pins(1).resolved_version(), "2.0.0");
  EXPECT_EQ(all->pins(2).pin().consumer(), "shipping");
}

TEST_F(PinsTest, MethodPinsNameMethodsThatAVersionHas) {
  ASSERT_TRUE(Publish("book", "1.0.0", DescriptorSetOf({"acme.Book"})).ok());
  const auto pin = [this](const std::string& method) {
    return Call(SetPin, R"(pin { consumer: "billing" service: "book" expression: "^1" method: ")" +
                            method + "\" }")
        .status();
  };
  EXPECT_TRUE(pin("/acme.Book/Get").ok());
  const absl::Status slip = pin("/acme.Book/Gett");
  EXPECT_EQ(Outcome(slip), "NOT_FOUND METHOD_UNKNOWN");
  EXPECT_THAT(std::string(slip.message()),
              HasSubstr("no method '/acme.Book/Gett' (nearest: /acme.Book/Get)"));
  // Nobody knows what one without a schema has.
  ASSERT_TRUE(Publish("book", "1.1.0").ok());
  EXPECT_TRUE(pin("/acme.Book/Gett").ok());
}

TEST_F(PinsTest, ConcurrentChangesOfOnePinAreAllInItsHistory) {
  constexpr int kThreads = 8;
  constexpr int kChanges = 25;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([test = this, t] {
      for (int i = 0; i < kChanges; ++i) {
        ASSERT_TRUE(test->Pin("billing", "addressbook", (i + t) % 2 == 0 ? "^1" : "^2").ok());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  const auto history = Call(ListPinHistory, std::string(kBilling) + " page_size: 1000");
  // Each record follows from the one before it: no change was decided on a state that was gone.
  for (int i = 0; i + 1 < history->changes_size(); ++i) {
    EXPECT_EQ(history->changes(i).sequence(), history->changes(i + 1).sequence() + 1);
    EXPECT_EQ(history->changes(i).old_expression(), history->changes(i + 1).expression());
    EXPECT_NE(history->changes(i).old_expression(), history->changes(i).expression());
  }
  EXPECT_EQ(Call(GetPin, kBilling)->pin().expression(), history->changes(0).expression());
}

TEST_F(PinsTest, ExactlyOneOfManyExpectingTheSameRevisionWins) {
  const std::string revision =
      std::to_string(Pin("billing", "addressbook", "^1")->pin().meta().revision());
  std::atomic<int> won = 0, lost = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([test = this, &won, &lost, &revision] {
      const std::string request =
          R"(pin { consumer: "billing" service: "addressbook" expression: "^2" } )"
          "expected_revision: " +
          revision;
      const std::string outcome = Outcome(test->Call(SetPin, request).status());
      (outcome == "OK" ? won : lost)++;
      EXPECT_TRUE(outcome == "OK" || outcome == "ABORTED REVISION_CONFLICT") << outcome;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(won, 1);
  EXPECT_EQ(lost, 7);
}

TEST_F(PinsTest, UnusedExpressionsMakeRoomForNewOnes) {
  ASSERT_TRUE(Pin("billing", "addressbook", "^1").ok());
  FillExpressions("addressbook");
  ASSERT_TRUE(Pin("shipping", "addressbook", "^2").ok());
  const v1::Resolutions full = ExpressionsOf("addressbook");
  EXPECT_LT(full.entries_size(), model::kMaxExpressions - 50);
  EXPECT_EQ(model::Find(full, "^1"), "1.0.0") << "a pin uses it";
  EXPECT_EQ(model::Find(full, "^2"), "2.0.0");
}

}  // namespace
}  // namespace pinion::service
