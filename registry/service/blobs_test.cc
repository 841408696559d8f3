// Descriptor sets in the store: which stay, which go, and that none goes in the very moment in
// which a version comes to have it.
#include "registry/service/blobs.h"

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "registry/model/keys.h"
#include "tests/testing/interrupted_store.h"
#include "tests/testing/registry_fixture.h"

namespace pinion::service {
namespace {

class BlobsTest : public RegistryFixture {
 protected:
  void SetUp() override { SetUpAddressBook(); }

  // Several parts long.
  static std::string LargeSet() {
    google::protobuf::FileDescriptorSet set;
    set.ParseFromString(DescriptorSetOf({"acme.AddressBook", "acme.Large"}));
    set.mutable_file(0)->mutable_source_code_info()->add_location()->set_leading_comments(
        std::string(1'200'000, 'x'));
    return set.SerializeAsString();
  }
  static v1::PublishVersionRequest Publication(const std::string& name, const std::string& set) {
    v1::PublishVersionRequest request;
    request.set_service("addressbook");
    request.set_name(name);
    request.set_descriptor_set(set);
    return request;
  }
  // Two of three parts are written.
  void CutShort(const std::string& name) {
    testing::FailingStore failing(store_, /*commits_before=*/3);  // the first opens the registry
    const auto registry = *Registry::Open(failing, clock_);
    ASSERT_FALSE(PublishVersion(*registry, ann_, Publication(name, large_)).ok());
  }
  // While 3.0.0 is published with what was left a day ago, that is deleted at the last moment
  // before the first commit.
  void DeleteUnderAPublication() {
    clock_.Advance(absl::Hours(24));
    testing::InterruptedStore interrupted(store_);
    const auto other = *Registry::Open(interrupted, clock_);
    interrupted.BeforeNextCommit([this] {
      ASSERT_TRUE(DeleteUnusedBlobs(*registry_).ok());
      EXPECT_EQ(Stored(), 1);
    });
    ASSERT_TRUE(PublishVersion(*other, ann_, Publication("3.0.0", large_)).ok());
    EXPECT_EQ(Stored(), 1 + 3);
    EXPECT_EQ(SetOf("3.0.0"), large_);
  }
  void Delete(const std::string& name) {
    ASSERT_TRUE(
        Call(DeleteVersion, absl::StrCat("service: 'addressbook' name: '", name, "'")).ok());
  }
  // Parts of descriptor sets, and their marks.
  int64_t Stored() {
    return store_.Range({.range = store::KeyRange::Prefix("records/blob"), .count_only = true})
        ->count;
  }
  std::string SetOf(const std::string& name) {
    const auto schema =
        Call(GetVersionSchema, absl::StrCat("service: 'addressbook' name: '", name, "'"));
    return schema.ok() ? schema->descriptor_set() : Outcome(schema.status());
  }

  const std::string large_ = LargeSet();
};

TEST_F(BlobsTest, ARefusedPublicationTakesNoRoom) {
  EXPECT_EQ(Stored(), 1);
  const std::string broken = DescriptorSetOf({"acme.AddressBook"}, /*field=*/2);
  EXPECT_EQ(Outcome(Publish("addressbook", "1.1.0", broken).status()),
            "FAILED_PRECONDITION SCHEMA_BREAKS");
  EXPECT_EQ(Outcome(Publish("addressbook", "1.0.0", large_).status()),
            "ALREADY_EXISTS VERSION_EXISTS");
  EXPECT_EQ(Outcome(Publish("otherbook", "1.0.0", large_).status()),
            "ALREADY_EXISTS GRPC_SERVICE_TAKEN");
  EXPECT_EQ(Stored(), 1);
}

TEST_F(BlobsTest, WhatNoVersionHasGoesAfterADay) {
  ASSERT_TRUE(Publish("addressbook", "2.0.0", large_).ok());
  ASSERT_TRUE(Publish("addressbook", "3.0.0", large_).ok());
  EXPECT_EQ(Stored(), 1 + 3);
  Delete("2.0.0");
  clock_.Advance(absl::Hours(24));
  ASSERT_TRUE(DeleteUnusedBlobs(*registry_).ok());
  EXPECT_EQ(Stored(), 1 + 3) << "another version has it";
  EXPECT_EQ(SetOf("3.0.0"), large_);
  Delete("3.0.0");
  clock_.Advance(absl::Hours(24) - absl::Seconds(1));
  ASSERT_TRUE(DeleteUnusedBlobs(*registry_).ok());
  EXPECT_EQ(Stored(), 1 + 3 + 1) << "with its mark";
  clock_.Advance(absl::Seconds(1));
  ASSERT_TRUE(DeleteUnusedBlobs(*registry_).ok());
  EXPECT_EQ(Stored(), 1);
  EXPECT_FALSE(SetOf("1.0.0").empty());
}

TEST_F(BlobsTest, WhatAPublicationThatWasCutShortHasWrittenGoesAfterADay) {
  CutShort("2.0.0");
  EXPECT_EQ(Stored(), 1 + 2 + 1);
  clock_.Advance(absl::Hours(24));
  ASSERT_TRUE(DeleteUnusedBlobs(*registry_).ok());
  EXPECT_EQ(Stored(), 1);
}

TEST_F(BlobsTest, APublicationKeepsWhatIsAboutToGo) {
  ASSERT_TRUE(Publish("addressbook", "2.0.0", large_).ok());
  Delete("2.0.0");
  clock_.Advance(absl::Hours(24));
  testing::InterruptedStore interrupted(store_);
  const auto keeper = *Registry::Open(interrupted, clock_);
  interrupted.BeforeNextCommit(
      [this] { ASSERT_TRUE(Publish("addressbook", "3.0.0", large_).ok()); });
  ASSERT_TRUE(DeleteUnusedBlobs(*keeper).ok());
  EXPECT_EQ(Stored(), 1 + 3);
  EXPECT_EQ(SetOf("3.0.0"), large_);
}

TEST_F(BlobsTest, APublicationThatHasFoundAllWritesItAnew) {
  ASSERT_TRUE(Publish("addressbook", "2.0.0", large_).ok());
  Delete("2.0.0");
  DeleteUnderAPublication();
}

TEST_F(BlobsTest, APublicationThatHasFoundAPartWritesAllAnew) {
  CutShort("2.0.0");
  DeleteUnderAPublication();
}

}  // namespace
}  // namespace pinion::service
