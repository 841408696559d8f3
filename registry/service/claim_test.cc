#include "registry/service/claim.h"

#include <memory>
#include <optional>

#include "gtest/gtest.h"
#include "registry/service/operations.h"
#include "registry/store/memory_store.h"
#include "tests/testing/fake_clock.h"

namespace pinion::service {
namespace {

constexpr char kTask[] = "records/claim!task";

class ClaimTest : public ::testing::Test {
 protected:
  testing::FakeClock clock_;
  store::MemoryStore store_{clock_};
  std::unique_ptr<Registry> registry_ = *Registry::Open(store_, clock_);
  std::unique_ptr<Registry> other_ = *Registry::Open(store_, clock_);
};

TEST_F(ClaimTest, OneOfTwoHoldsIt) {
  auto first = std::make_unique<Claim>(*registry_, kTask);
  Claim second(*other_, kTask);
  EXPECT_TRUE(*first->Hold());
  EXPECT_FALSE(*second.Hold());
  first.reset();
  EXPECT_TRUE(*second.Hold()) << "given back";
}

TEST_F(ClaimTest, KeptForAsLongAsItIsHeld) {
  Claim first(*registry_, kTask);
  Claim second(*other_, kTask);
  for (int i = 0; i < 20; ++i) {
    EXPECT_TRUE(*first.Hold());
    ASSERT_EQ(*ExpireLeases(*registry_), 0);
    EXPECT_FALSE(*second.Hold());
    clock_.Advance(Claim::kTtl / 3);
  }
}

TEST_F(ClaimTest, PassesOnFromAHolderThatIsHeardNoMore) {
  Claim first(*registry_, kTask);
  Claim second(*other_, kTask);
  EXPECT_TRUE(*first.Hold());
  clock_.Advance(Claim::kTtl + absl::Seconds(1));
  ASSERT_TRUE(ExpireLeases(*other_).ok());
  EXPECT_TRUE(*second.Hold());
  EXPECT_FALSE(*first.Hold()) << "it comes back too late";
}

TEST_F(ClaimTest, HoldingItMakesNoRevisions) {
  Claim claim(*registry_, kTask);
  EXPECT_TRUE(*claim.Hold());
  const store::Revision revision = store_.revision();
  for (int i = 0; i < 10; ++i) {
    clock_.Advance(Claim::kTtl / 3);
    EXPECT_TRUE(*claim.Hold());
  }
  EXPECT_EQ(store_.revision(), revision);
}

}  // namespace
}  // namespace pinion::service
