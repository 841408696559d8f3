// What a denial says. That the right ones are denied is in tests of all methods:
// access_matrix_test.
#include "registry/access/decision.h"

#include <string>

#include "gtest/gtest.h"
#include "registry/model/errors.h"

namespace pinion::access {
namespace {

Rights Nobody() { return RightsOf({"spiffe://acme/x"}, {}, {}); }

std::string Said(const absl::Status& status) { return std::string(status.message()); }

TEST(DecisionTest, ADenialSaysWhoAndWhatAndWhoCanHelp) {
  const Object service{Object::Kind::kService, "addressbook", true, "contacts"};
  const absl::Status denied = Decide(Nobody(), Need::kOwn, service);
  EXPECT_EQ(denied.code(), absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(model::ReasonOf(denied), "ACCESS_DENIED");
  EXPECT_EQ(Said(denied),
            "spiffe://acme/x may not change service 'addressbook', which 'contacts' owns; an "
            "operator can allow it: `pinion access grant owner 'contacts' --to "
            "'spiffe://acme/x'`");
  EXPECT_EQ(Said(Decide(Nobody(), Need::kPins, {Object::Kind::kConsumer, "billing", true, "pay"})),
            "spiffe://acme/x may not change the pins of consumer 'billing', which 'pay' owns; an "
            "operator can allow it: `pinion access grant consumer 'billing' --to "
            "'spiffe://acme/x'`");
  EXPECT_EQ(Said(Decide(Nobody(), Need::kCreate, {Object::Kind::kService, "pay/x", false, "pay"})),
            "spiffe://acme/x may not create service 'pay/x' as owner 'pay'; an operator can allow "
            "it: `pinion access grant owner NAME --create 'pay/x' --to 'spiffe://acme/x'`");
  EXPECT_EQ(Said(Decide(Nobody(), Need::kRead, {})),
            "spiffe://acme/x may not read this registry, since no role was given to it; an "
            "operator can allow it: `pinion access grant reader --to 'spiffe://acme/x'`");
  EXPECT_EQ(Said(DenyUnknown(Nobody(), "a.B.C")),
            "spiffe://acme/x may not call a.B.C, since this registry has no rule for it: nobody "
            "may");
}

TEST(DecisionTest, NamesAreQuotedForTheShell) {
  const Object service{Object::Kind::kService, "s", true, "Ann's team"};
  EXPECT_NE(Said(Decide(Nobody(), Need::kOwn, service)).find("grant owner 'Ann'\\''s team' --to"),
            std::string::npos);
}

TEST(DecisionTest, AnObjectBelongsToAnOwnerOrToTheSubjectItself) {
  const Object service{Object::Kind::kService, "s", true, "spiffe://acme/x"};
  EXPECT_TRUE(Decide(Nobody(), Need::kOwn, service).ok());
  Object renamed = service;
  renamed.owner = "spiffe://acme/y";
  EXPECT_FALSE(Decide(Nobody(), Need::kOwn, renamed).ok());
}

TEST(DecisionTest, ANeedThatIsNoneIsDenied) {
  EXPECT_FALSE(Decide(Nobody(), static_cast<Need>(99), {}).ok());
}

}  // namespace
}  // namespace pinion::access
