#include "registry/service/schema_gate.h"

#include "gmock/gmock.h"
#include "google/rpc/error_details.pb.h"
#include "tests/testing/parsed_schema.h"
#include "tests/testing/registry_fixture.h"

namespace pinion::service {
namespace {

using ::testing::HasSubstr;

// acme.AddressBook, whose message has `field` of `type` under this number.
std::string Schema(int number, google::protobuf::FieldDescriptorProto::Type type =
                                   google::protobuf::FieldDescriptorProto::TYPE_STRING) {
  google::protobuf::FileDescriptorSet set;
  set.ParseFromString(DescriptorSetOf({"acme.AddressBook"}, number));
  set.mutable_file(0)->mutable_message_type(0)->mutable_field(0)->set_type(type);
  return set.SerializeAsString();
}

class SchemaGateTest : public RegistryFixture {
 protected:
  absl::StatusOr<v1::PublishVersionResponse> PublishWaived(const std::string& name,
                                                           const std::string& set,
                                                           const std::string& from,
                                                           const std::string& expiry) {
    v1::PublishVersionRequest request;
    request.set_service("addressbook");
    request.set_name(name);
    request.set_descriptor_set(set);
    auto& waiver = *request.add_waivers();
    waiver.set_rule("FIELD_NO_DELETE_UNLESS_NUMBER_RESERVED");
    waiver.set_symbol("acme.AddressBookMessage.text");
    waiver.set_from(from);
    waiver.set_to(name);
    waiver.set_author("alice");
    waiver.set_reason("nobody reads it");
    waiver.set_expiry(expiry);
    return PublishVersion(*registry_, ann_, request);
  }
};

TEST_F(SchemaGateTest, ABreakNeedsANameThatSaysSo) {
  ASSERT_TRUE(Publish("addressbook", "1.0.0", Schema(1)).ok());
  const store::Revision before = store_.revision();
  const absl::Status refused = Publish("addressbook", "1.1.0", Schema(2)).status();
  EXPECT_EQ(Outcome(refused), "FAILED_PRECONDITION SCHEMA_BREAKS");
  EXPECT_THAT(std::string(refused.message()), HasSubstr("under a name that says so (2.0.0)"));
  EXPECT_THAT(std::string(refused.message()), HasSubstr("acme.AddressBookMessage.text"));
  google::rpc::PreconditionFailure failure;
  ASSERT_TRUE(
      failure.ParseFromString(std::string(*refused.GetPayload(model::kPreconditionFailureUrl))));
  ASSERT_EQ(failure.violations_size(), 1);
  EXPECT_EQ(failure.violations(0).type(), "FIELD_NO_DELETE_UNLESS_NUMBER_RESERVED");
  EXPECT_EQ(failure.violations(0).subject(), "1.0.0 to 1.1.0: acme.AddressBookMessage.text");
  EXPECT_EQ(Outcome(Call(GetVersion, R"(service: "addressbook" name: "1.1.0")").status()),
            "NOT_FOUND VERSION_NOT_FOUND");
  EXPECT_EQ(NewestAudit().object(), "addressbook 1.0.0");
  EXPECT_GE(store_.revision(), before);
  EXPECT_TRUE(Publish("addressbook", "2.0.0", Schema(2)).ok());
}

TEST_F(SchemaGateTest, EveryVersionCountsAndNotOnlyTheLatest) {
  const auto kInt = google::protobuf::FieldDescriptorProto::TYPE_INT32;
  ASSERT_TRUE(Publish("addressbook", "1.0.0", Schema(1)).ok());
  // Deleted, and then there again as something else.
  ASSERT_TRUE(PublishWaived("1.1.0", Schema(2), "1.0.0", "2999-12-31").ok());
  const absl::Status refused = Publish("addressbook", "1.2.0", Schema(1, kInt)).status();
  EXPECT_THAT(std::string(refused.message()), HasSubstr("1.0.0 to 1.2.0"));
  EXPECT_THAT(std::string(refused.message()), HasSubstr("1.1.0 to 1.2.0"));
}

TEST_F(SchemaGateTest, AServiceThatIsServedNoLongerIsABreak) {
  const std::string both = DescriptorSetOf({"acme.AddressBook", "acme.Notes"});
  ASSERT_TRUE(Publish("addressbook", "1.0.0", both).ok());
  v1::PublishVersionRequest request;
  request.set_service("addressbook");
  request.set_name("1.1.0");
  request.set_descriptor_set(both);
  request.add_grpc_services("acme.AddressBook");
  const absl::Status refused = PublishVersion(*registry_, ann_, request).status();
  EXPECT_EQ(Outcome(refused), "FAILED_PRECONDITION SCHEMA_BREAKS");
  EXPECT_THAT(std::string(refused.message()), HasSubstr("PACKAGE_SERVICE_NO_DELETE acme.Notes"));
  request.set_name("2.0.0");
  ASSERT_TRUE(PublishVersion(*registry_, ann_, request).ok());
  // What 2.0.0 does not serve it may change.
  EXPECT_TRUE(Publish("addressbook", "2.1.0", DescriptorSetOf({"acme.AddressBook"})).ok());
}

TEST_F(SchemaGateTest, WhatCannotBeComparedIsRefused) {
  const std::string circle = testing::CircleOfTypes(2001).SerializeAsString();
  ASSERT_TRUE(
      Publish("addressbook", "1.0.0", testing::CircleOfTypes(2000).SerializeAsString()).ok());
  const absl::Status refused = Publish("addressbook", "1.1.0", circle).status();
  EXPECT_EQ(Outcome(refused), "RESOURCE_EXHAUSTED LIMIT_EXCEEDED");
  EXPECT_THAT(std::string(refused.message()),
              HasSubstr("whether 1.1.0 of addressbook keeps what 1.0.0 promises cannot be told"));
  EXPECT_THAT(std::string(refused.message()), HasSubstr("(2.0.0) is not compared"));
  EXPECT_TRUE(Publish("addressbook", "2.0.0", circle).ok());
}

TEST_F(SchemaGateTest, AnOlderNameIsComparedTheOtherWayRound) {
  ASSERT_TRUE(Publish("addressbook", "1.2.0", Schema(1)).ok());
  const absl::Status refused = Publish("addressbook", "1.1.0", Schema(2)).status();
  EXPECT_THAT(std::string(refused.message()), HasSubstr("1.1.0 to 1.2.0"));
}

TEST_F(SchemaGateTest, WaiversCoverTheirVersionsAndAreAudited) {
  ASSERT_TRUE(Publish("addressbook", "1.0.0", Schema(1)).ok());
  EXPECT_EQ(Outcome(PublishWaived("1.1.0", Schema(2), "1.0.1", "2999-12-31").status()),
            "FAILED_PRECONDITION SCHEMA_BREAKS");
  EXPECT_EQ(Outcome(PublishWaived("1.1.0", Schema(2), "1.0.0", "1999-12-31").status()),
            "FAILED_PRECONDITION SCHEMA_BREAKS");
  EXPECT_EQ(Outcome(PublishWaived("1.1.0", Schema(2), "1.0.0", "soon").status()),
            "INVALID_ARGUMENT ARGUMENT_INVALID");
  ASSERT_TRUE(PublishWaived("1.1.0", Schema(2), "1.0.0", "2999-12-31").ok());
  EXPECT_EQ(NewestAudit().reason(),
            "waived for 1.0.0 to 1.1.0 by alice until 2999-12-31 (nobody reads it): "
            "FIELD_NO_DELETE_UNLESS_NUMBER_RESERVED acme.AddressBookMessage.text");
}

TEST_F(SchemaGateTest, WhatDoesNotBreakOrHasNoSchemaPasses) {
  ASSERT_TRUE(Publish("addressbook", "1.0.0", Schema(1)).ok());
  ASSERT_TRUE(Publish("addressbook", "1.0.1").ok());
  // Dangerous for requests, breaking for nobody but by name: the message is both.
  EXPECT_TRUE(Publish("addressbook", "1.0.2", Schema(1)).ok());
  EXPECT_EQ(NewestAudit().reason(), "");
}

}  // namespace
}  // namespace pinion::service
