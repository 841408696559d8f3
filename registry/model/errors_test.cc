#include "registry/model/errors.h"

#include "gmock/gmock.h"
#include "google/rpc/error_details.pb.h"
#include "gtest/gtest.h"

namespace pinion::model {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(Errors, UnknownNameSaysWhatIsNear) {
  const absl::Status status =
      UnknownName("SERVICE_UNKNOWN", "service", "adressbook", {"billing", "addressbook", "address"},
                  "publish it first");
  EXPECT_TRUE(absl::IsNotFound(status));
  EXPECT_EQ(status.message(),
            "no service 'adressbook' (nearest: addressbook, address, billing); publish it first");
  google::rpc::ErrorInfo info;
  ASSERT_TRUE(info.ParseFromString(std::string(*status.GetPayload(kErrorInfoUrl))));
  EXPECT_EQ(info.reason(), "SERVICE_UNKNOWN");
  EXPECT_EQ(info.domain(), "pinion");
  EXPECT_EQ(info.metadata().at("service"), "adressbook");
  EXPECT_EQ(info.metadata().at("nearest"), "addressbook,address,billing");
}

TEST(Errors, SomeAreOfTheChangeAndOthersOfTheRegistry) {
  const auto of = [](absl::StatusCode code, absl::string_view reason) {
    return IsRefusal(Refusal(code, reason, "why"));
  };
  EXPECT_TRUE(of(absl::StatusCode::kNotFound, "CONSUMER_UNKNOWN"));
  EXPECT_TRUE(of(absl::StatusCode::kPermissionDenied, "VERSION_NOT_ALLOWED"));
  EXPECT_TRUE(of(absl::StatusCode::kResourceExhausted, "TOO_MANY_EXPRESSIONS"));
  EXPECT_FALSE(of(absl::StatusCode::kResourceExhausted, "STORE_FULL"));
  EXPECT_FALSE(of(absl::StatusCode::kAborted, "CONTENTION"));
  EXPECT_FALSE(of(absl::StatusCode::kUnavailable, "OUTCOME_UNKNOWN"));
  EXPECT_FALSE(IsRefusal(absl::InternalError("no reason")));
  EXPECT_FALSE(IsRefusal(absl::OkStatus()));
}

TEST(Errors, UnknownNameAmongNone) {
  EXPECT_THAT(std::string(UnknownName("X", "consumer", "a", {}, "add it").message()),
              HasSubstr("there is none yet"));
}

TEST(Errors, NearestNamesAreFew) {
  EXPECT_THAT(NearestNames("ab", {"xyz", "abc", "ab", "abcd"}, 2), ElementsAre("ab", "abc"));
}

TEST(Errors, RevisionConflictTellsBothSides) {
  EXPECT_THAT(std::string(RevisionConflict("pin a b", 3, 5).message()),
              HasSubstr("revision 3 was expected, but it is at revision 5 now"));
  EXPECT_THAT(std::string(RevisionConflict("pin a b", 0, 5).message()),
              HasSubstr("it should not exist"));
  EXPECT_THAT(std::string(RevisionConflict("pin a b", 3, 0).message()),
              HasSubstr("it does not exist"));
  EXPECT_EQ(ReasonOf(RevisionConflict("pin a b", 3, 0)), "REVISION_CONFLICT");
}

}  // namespace
}  // namespace pinion::model
