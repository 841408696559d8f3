// What a draft reads, and how often it asks the store for it: to one elsewhere each time is a way
// over the network.
#include "registry/service/draft.h"

#include <memory>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "registry/model/keys.h"
#include "tests/testing/interrupted_store.h"
#include "tests/testing/registry_fixture.h"

namespace pinion::service {
namespace {

class CountingStore : public testing::InterruptedStore {
 public:
  using InterruptedStore::InterruptedStore;

  absl::StatusOr<store::Revision> Newest() override {
    ++trips;
    return InterruptedStore::Newest();
  }
  absl::StatusOr<store::RangeResult> Range(const store::RangeRequest& request) override {
    ++trips;
    return InterruptedStore::Range(request);
  }
  absl::StatusOr<store::Pairs> ReadKeys(const std::vector<std::string>& keys,
                                        store::Revision revision) override {
    const int before = trips;
    auto pairs = InterruptedStore::ReadKeys(keys, revision);
    trips = before + 1;
    return pairs;
  }
  absl::StatusOr<store::TxnResult> Commit(store::Txn txn) override {
    ++trips;
    return InterruptedStore::Commit(std::move(txn));
  }

  int trips = 0;
};

class DraftTest : public RegistryFixture {
 protected:
  void SetUp() override {
    registry_ = *Registry::Open(counting_, clock_);
    SetUpAddressBook();
    ASSERT_TRUE(Publish("addressbook", "2.0.0", DescriptorSetOf({"acme.AddressBook"})).ok());
    counting_.trips = 0;
  }
  void AddLate() { ASSERT_TRUE(Call(CreateConsumer, R"(consumer { name: "late" })").ok()); }

  CountingStore counting_{store_};
};

TEST_F(DraftTest, WhatIsExpectedComesAtOnceAndIsNotReadAgain) {
  Draft draft(*registry_, ann_);
  draft.Expect({model::ConsumerKey("billing"), model::ConsumerKey("nobody")});
  EXPECT_EQ(counting_.trips, 0);
  EXPECT_TRUE((*draft.Get<v1::Service>(model::ServiceKey("addressbook"))).has_value());
  EXPECT_EQ(counting_.trips, 1);
  EXPECT_TRUE((*draft.Get<v1::Consumer>(model::ConsumerKey("billing"))).has_value());
  EXPECT_FALSE((*draft.Get<v1::Consumer>(model::ConsumerKey("nobody"))).has_value());
  EXPECT_TRUE((*draft.Get<v1::Service>(model::ServiceKey("addressbook"))).has_value());
  EXPECT_EQ(counting_.trips, 1);
}

TEST_F(DraftTest, WhatIsReadLaterIsNotNewer) {
  Draft draft(*registry_, ann_);
  EXPECT_TRUE((*draft.Get<v1::Consumer>(model::ConsumerKey("billing"))).has_value());
  AddLate();
  EXPECT_FALSE((*draft.Get<v1::Consumer>(model::ConsumerKey("late"))).has_value());
  EXPECT_EQ(draft.Range({.range = store::KeyRange::Prefix(model::kConsumers)})->kvs.size(), 2);
}

TEST_F(DraftTest, OnlyWhatWasGotMustStayAsItIs) {
  Draft draft(*registry_, ann_);
  draft.Expect({model::ConsumerKey("billing"), model::ConsumerKey("late")});
  ASSERT_TRUE(draft.Get<v1::Consumer>(model::ConsumerKey("billing")).ok());
  draft.PutBytes("k", "v");
  draft.AllowUnaudited();
  AddLate();
  EXPECT_TRUE(draft.Commit()->has_value());
}

TEST_F(DraftTest, AChangeOfAPinAsksThreeTimes) {
  const std::vector<std::string> expressions = {"1.0.0", "^1", "@stable", "2.0.0"};
  // What an expression means is found out when it is first used.
  for (const std::string& expression : expressions) {
    ASSERT_TRUE(Pin("billing", "addressbook", expression).ok());
  }
  for (const std::string& expression : expressions) {
    counting_.trips = 0;
    EXPECT_TRUE(Pin("billing", "addressbook", expression)->changed());
    // What decides, the pin's history, the commit; and the channel that a pin leaves.
    EXPECT_EQ(counting_.trips, expression == "2.0.0" ? 4 : 3) << expression;
  }
}

}  // namespace
}  // namespace pinion::service
