// Which versions a consumer may choose, and that what runs is never cut off by it.
#include <utility>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "registry/model/keys.h"
#include "registry/model/validate.h"
#include "registry/service/operations.h"
#include "tests/testing/registry_fixture.h"

namespace pinion::service {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class EntitlementsTest : public RegistryFixture {
 protected:
  // addressbook with 1.0.0, which is stable, 2.0.0 and 3.0.0, all active.
  void SetUp() override {
    SetUpAddressBook();
    int port = 9002;
    for (const char* version : {"2.0.0", "3.0.0"}) {
      ASSERT_TRUE(Publish("addressbook", version).ok());
      ASSERT_TRUE(Register("addressbook", version, port++).ok());
    }
  }
  absl::StatusOr<v1::SetEntitlementResponse> Entitle(const std::string& consumer,
                                                     const std::string& expression,
                                                     const std::string& rest = "") {
    return Call(SetEntitlement,
                absl::StrCat("entitlement { consumer: '", consumer,
                             "' service: 'addressbook' expression: '", expression, "' } ", rest));
  }
  std::string Book(const std::string& consumer) {
    return absl::StrCat("consumer: '", consumer, "' service: 'addressbook'");
  }
  // "consumer expression" of each.
  std::vector<std::string> List(const std::string& request) {
    std::vector<std::string> all;
    const auto found = Call(ListEntitlements, request);
    EXPECT_TRUE(found.ok()) << found.status();
    for (const auto& one : found->entitlements()) {
      all.push_back(absl::StrCat(one.entitlement().consumer(), " ", one.entitlement().service(),
                                 " ", one.entitlement().expression()));
    }
    return all;
  }
};

TEST_F(EntitlementsTest, AreSetReadAndUnset) {
  const auto made = Entitle("billing", "^1  ||  ^2", "reason: 'their contract'");
  ASSERT_TRUE(made.ok()) << made.status();
  EXPECT_TRUE(made->changed());
  EXPECT_EQ(made->old_expression(), "");
  EXPECT_EQ(made->entitlement().entitlement().expression(), "^1 || ^2");
  EXPECT_EQ(made->entitlement().meta().revision(), store_.revision());
  EXPECT_EQ(NewestAudit().command(), "entitlement.set");
  EXPECT_EQ(NewestAudit().object(), "billing addressbook");
  EXPECT_EQ(NewestAudit().reason(), "their contract");
  const store::Revision revision = store_.revision();
  EXPECT_FALSE(Entitle("billing", "^1 || ^2")->changed());
  EXPECT_EQ(store_.revision(), revision);
  EXPECT_EQ(Outcome(Entitle("billing", "^1", "expected_revision: 1").status()),
            "ABORTED REVISION_CONFLICT");
  EXPECT_EQ(Outcome(Entitle("billing", "^1", "expected_revision: 0").status()),
            "ABORTED REVISION_CONFLICT");
  const auto narrowed = Entitle("billing", "^1", absl::StrCat("expected_revision: ", revision));
  ASSERT_TRUE(narrowed.ok()) << narrowed.status();
  EXPECT_EQ(narrowed->old_expression(), "^1 || ^2");
  EXPECT_EQ(Call(GetEntitlement, Book("billing"))->entitlement().expression(), "^1");
  EXPECT_EQ(Call(UnsetEntitlement, Book("billing"))->old_expression(), "^1");
  EXPECT_EQ(NewestAudit().command(), "entitlement.unset");
  EXPECT_EQ(Call(UnsetEntitlement, Book("billing"))->old_expression(), "");
  EXPECT_EQ(Outcome(Call(GetEntitlement, Book("billing")).status()),
            "NOT_FOUND ENTITLEMENT_NOT_FOUND");
  EXPECT_EQ(
      store_.Range({.range = store::KeyRange::Prefix(model::EntitledOf("addressbook"))})->count, 0);
}

TEST_F(EntitlementsTest, AreListedByConsumerAndByService) {
  ASSERT_TRUE(Publish("ledger", "1.0.0").ok());
  ASSERT_TRUE(Entitle("shipping", "^1").ok());
  ASSERT_TRUE(Entitle("billing", "^2").ok());
  ASSERT_TRUE(
      Call(SetEntitlement, "entitlement { consumer: 'billing' service: 'ledger' expression: '^1' }")
          .ok());
  EXPECT_THAT(List(""), ElementsAre("billing addressbook ^2", "billing ledger ^1",
                                    "shipping addressbook ^1"));
  EXPECT_THAT(List("consumer: 'billing'"),
              ElementsAre("billing addressbook ^2", "billing ledger ^1"));
  EXPECT_THAT(List("service: 'addressbook'"),
              ElementsAre("billing addressbook ^2", "shipping addressbook ^1"));
  EXPECT_THAT(List("consumer: 'billing' service: 'ledger'"), ElementsAre("billing ledger ^1"));
  EXPECT_THAT(List("consumer: 'shipping' service: 'ledger'"), IsEmpty());
  const auto first = Call(ListEntitlements, "service: 'addressbook' page_size: 1");
  EXPECT_EQ(first->next_page_token(), "billing");
  EXPECT_THAT(List("service: 'addressbook' page_size: 1 page_token: 'billing'"),
              ElementsAre("shipping addressbook ^1"));
}

TEST_F(EntitlementsTest, WhatIsNoneIsRefused) {
  EXPECT_EQ(Outcome(Entitle("billing", "@stable").status()), "INVALID_ARGUMENT PIN_MALFORMED");
  EXPECT_EQ(Outcome(Entitle("billing", "1").status()), "INVALID_ARGUMENT PIN_MALFORMED");
  EXPECT_EQ(Outcome(Entitle("billing", "").status()), "INVALID_ARGUMENT PIN_MALFORMED");
  EXPECT_EQ(Outcome(Entitle("bill", "^1").status()), "NOT_FOUND CONSUMER_UNKNOWN");
  EXPECT_EQ(Outcome(Entitle("a!b", "^1").status()), "INVALID_ARGUMENT NAME_MALFORMED");
  EXPECT_EQ(Outcome(Call(SetEntitlement,
                         "entitlement { consumer: 'billing' service: 'ledger' expression: '^1' }")
                        .status()),
            "NOT_FOUND SERVICE_UNKNOWN");
}

TEST_F(EntitlementsTest, APinIsSetWithinIt) {
  ASSERT_TRUE(Entitle("billing", "^1 || ^2").ok());
  EXPECT_TRUE(Pin("billing", "addressbook", "2.0.0").ok());
  EXPECT_TRUE(Pin("billing", "addressbook", "^1").ok());
  const absl::Status refused = Pin("billing", "addressbook", "3.0.0").status();
  EXPECT_EQ(Outcome(refused), "PERMISSION_DENIED VERSION_NOT_ALLOWED");
  EXPECT_EQ(refused.message(),
            "billing may not be pinned to addressbook 3.0.0: its entitlement is '^1 || ^2', which "
            "allows 2.0.0, 1.0.0; ann, who owns addressbook, can allow more: `pinion entitlement "
            "set billing addressbook EXPRESSION`");
  const absl::Status range = Pin("billing", "addressbook", ">=1").status();
  EXPECT_EQ(Outcome(range), "PERMISSION_DENIED VERSION_NOT_ALLOWED");
  EXPECT_THAT(std::string(range.message()), HasSubstr(">=1, which means 3.0.0 now: "));
  EXPECT_EQ(Call(GetPin, Book("billing"))->pin().expression(), "^1") << "nothing half done";
  // Where channels lead is their owners' choice.
  ASSERT_TRUE(
      Call(SetChannel, "channel { service: 'addressbook' name: 'edge' version: '3.0.0' }").ok());
  EXPECT_TRUE(Pin("billing", "addressbook", "@edge").ok());
  EXPECT_TRUE(Pin("shipping", "addressbook", "3.0.0").ok()) << "nobody else is limited";
}

TEST_F(EntitlementsTest, ARangeThatMeansNothingYetMustBeAbleToComeToMeanSomethingAllowed) {
  ASSERT_TRUE(Publish("addressbook", "4.0.0").ok());
  ASSERT_TRUE(Publish("addressbook", "2.9.0").ok());
  ASSERT_TRUE(Entitle("billing", "^1 || ^2").ok());
  EXPECT_EQ(Outcome(Pin("billing", "addressbook", "^4").status()),
            "PERMISSION_DENIED VERSION_NOT_ALLOWED");
  EXPECT_EQ(Outcome(Pin("billing", "addressbook", "4.0.0").status()),
            "PERMISSION_DENIED VERSION_NOT_ALLOWED");
  EXPECT_TRUE(Pin("billing", "addressbook", "~2.9").ok());
  EXPECT_TRUE(Pin("billing", "addressbook", "2.9.0").ok());
}

TEST_F(EntitlementsTest, ARollbackIsAChoiceToo) {
  ASSERT_TRUE(Pin("billing", "addressbook", "3.0.0").ok());
  ASSERT_TRUE(Pin("billing", "addressbook", "2.0.0").ok());
  ASSERT_TRUE(Entitle("billing", "<3").ok());
  EXPECT_EQ(Outcome(Call(RollbackPin, Book("billing")).status()),
            "PERMISSION_DENIED VERSION_NOT_ALLOWED");
  ASSERT_TRUE(Call(UnsetEntitlement, Book("billing")).ok());
  EXPECT_TRUE(Call(RollbackPin, Book("billing")).ok());
}

TEST_F(EntitlementsTest, WhatIsThereStaysAndIsNamed) {
  ASSERT_TRUE(Pin("billing", "addressbook", ">=1").ok());
  ASSERT_TRUE(Call(SetPin,
                   "pin { consumer: 'billing' service: 'addressbook' method: "
                   "'/acme.AddressBook/Get' expression: '@stable' }")
                  .ok());
  ASSERT_TRUE(Pin("shipping", "addressbook", "3.0.0").ok());
  const auto made = Entitle("billing", "^1");
  ASSERT_EQ(made->pins_outside_size(), 1);
  EXPECT_EQ(made->pins_outside(0).pin().expression(), ">=1");
  EXPECT_EQ(made->pins_outside(0).resolved_version(), "3.0.0");
  EXPECT_EQ(Entitle("billing", "^1")->pins_outside_size(), 1) << "also when nothing changes";
  // It may be said again, and what it means moves on with the versions.
  EXPECT_FALSE(Pin("billing", "addressbook", ">=1")->changed());
  EXPECT_TRUE(Call(SetPin, absl::StrCat("pin { ", Book("billing"),
                                        " expression: '>=1' drain { seconds: 60 } }"))
                  .ok());
  ASSERT_TRUE(Publish("addressbook", "4.0.0").ok());
  ASSERT_TRUE(Register("addressbook", "4.0.0", 9009).ok());
  EXPECT_EQ(Call(GetPin, Book("billing"))->resolved_version(), "4.0.0");
  // A pin that the gateway proposes is where a channel has led.
  ASSERT_TRUE(Call(UnsetPin, Book("billing")).ok());
  ASSERT_TRUE(Call(UpdateService, "name: 'addressbook' unpinned { pin_on_first_call { } }").ok());
  EXPECT_TRUE(Call(ProposePin, absl::StrCat(Book("billing"), " version: '4.0.0'")).ok());
}

TEST_F(EntitlementsTest, OfOneServiceThereAreNotTooMany) {
  store::Txn txn;
  for (int64_t i = 0; i < model::kMaxEntitlements; ++i) {
    txn.then.push_back(store::Put{model::EntitledKey("addressbook", absl::StrCat("c", i)), ""});
    if (txn.then.size() < 100 && i + 1 < model::kMaxEntitlements) continue;
    ASSERT_TRUE(store_.Commit(std::exchange(txn, {})).ok());
  }
  EXPECT_EQ(Outcome(Entitle("billing", "^1").status()), "RESOURCE_EXHAUSTED LIMIT_EXCEEDED");
}

TEST_F(EntitlementsTest, RoutingOfAConsumerHasIt) {
  ASSERT_TRUE(Entitle("billing", "^1").ok());
  const auto routing = Call(GetRouting, "service: 'addressbook' consumer: 'billing'");
  int seen = 0;
  for (const auto& resource : routing->resources()) {
    seen += resource.has_entitlement() ? 1 : 0;
  }
  EXPECT_EQ(seen, 1);
}

}  // namespace
}  // namespace pinion::service
