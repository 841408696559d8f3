// Housekeeping beside records that are damaged.
#include "registry/service/housekeeper.h"

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "registry/model/keys.h"
#include "tests/testing/registry_fixture.h"

namespace pinion::service {
namespace {

class HousekeeperTest : public RegistryFixture {
 protected:
  bool Exists(const std::string& key) {
    return !store_.Range({.range = store::KeyRange::Single(key)})->kvs.empty();
  }
  size_t InstancesOf(const std::string& version) {
    return store_
        .Range({.range = store::KeyRange::Prefix(model::InstancesOf("addressbook", version)),
                .keys_only = true})
        ->kvs.size();
  }
};

TEST_F(HousekeeperTest, ADamagedRecordHoldsUpNothingElse) {
  SetUpAddressBook();
  ASSERT_TRUE(Publish("addressbook", "2.0.0").ok());
  ASSERT_TRUE(Register("addressbook", "2.0.0", 9002).ok());
  const auto first = Register("addressbook", "2.0.0", 9003, /*lease_seconds=*/10);
  ASSERT_TRUE(Register("addressbook", "2.0.0", 9004, /*lease_seconds=*/10).ok());
  const int64_t soon = absl::ToUnixSeconds(clock_.Wall() + absl::Hours(1));
  ASSERT_TRUE(Call(DeprecateVersion, absl::StrCat("service: 'addressbook' name: '1.0.0' "
                                                  "sunset_time { seconds: ",
                                                  soon, " }"))
                  .ok());
  ASSERT_TRUE(
      Call(StartJob, absl::StrCat("set_pin { pin { consumer: 'billing' service: 'addressbook' "
                                  "expression: '2.0.0' } } start_time { seconds: ",
                                  soon, " }"))
          .ok());
  const std::string freeing = model::FreeingKey("addressbook", "0.9.0");
  ASSERT_TRUE(store_.Commit({.then = {store::Put{freeing, ""}}}).ok());
  WatchHub hub(*registry_, {.ring_revisions = 1});
  Housekeeper keeper(*registry_, hub, {.period = absl::Hours(1), .keep_revisions = 1});
  // Each stands before those that are whole.
  Damage({model::InstanceKey("addressbook", "2.0.0", first->instance().instance().uid()),
          absl::StrCat(model::kSunsets, "0"), absl::StrCat(model::kFreeing, "0"),
          absl::StrCat(model::kGateways, "0"), absl::StrCat(model::kJobsDue, "0")});

  clock_.Advance(absl::Hours(1));
  EXPECT_EQ(Outcome(keeper.RunOnce().status()), "DATA_LOSS RECORD_DAMAGED");
  EXPECT_EQ(InstancesOf("2.0.0"), 2u) << "the permanent one, and the damaged one";
  EXPECT_EQ(Call(GetVersion, "service: 'addressbook' name: '1.0.0'")->version().state(),
            routing::v1::SUNSET);
  EXPECT_FALSE(Exists(freeing));
  EXPECT_EQ(keeper.jobs(), 2) << "of which one can go on";
  EXPECT_EQ(Call(GetPin, "consumer: 'billing' service: 'addressbook'")->pin().expression(),
            "2.0.0");
}

}  // namespace
}  // namespace pinion::service
