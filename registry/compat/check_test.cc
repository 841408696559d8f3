// What the corpus of tests/compat_corpus cannot show: editions, which Debian's protoc cannot
// compile, and sets that no compiler makes. The rules themselves are tested there.
#include "registry/compat/check.h"

#include <limits>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "google/protobuf/unknown_field_set.h"
#include "gtest/gtest.h"
#include "registry/compat/packages.h"
#include "tests/testing/parsed_schema.h"

namespace pinion::compat {
namespace {

using google::protobuf::FileDescriptorProto;
using google::protobuf::FileDescriptorSet;
using google::protobuf::UnknownFieldSet;
using pinion::testing::ParsedSchema;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr int kEditionNumber = 14;
constexpr int kFileFeatures = 50;
constexpr int kMessageFeatures = 12;
constexpr int kFieldFeatures = 21;
constexpr int kEnumFeatures = 7;
constexpr int kFieldPresence = 1;
constexpr int kMessageEncoding = 5;
constexpr int kJsonFormat = 6;

// As a compiler that knows editions writes it.
FileDescriptorSet In2023(FileDescriptorSet set, int edition = 1000) {
  FileDescriptorProto& file = *set.mutable_file(0);
  file.set_syntax("editions");
  file.mutable_unknown_fields()->AddVarint(kEditionNumber, edition);
  return set;
}

template <typename Options>
void SetFeature(Options* options, int features, int feature, uint64_t value) {
  UnknownFieldSet set;
  set.AddVarint(feature, value);
  set.SerializeToString(options->mutable_unknown_fields()->AddLengthDelimited(features));
}

std::vector<std::string> Found(const FileDescriptorSet& before, const FileDescriptorSet& now,
                               Category category = Category::kWireJson,
                               const CheckOptions& options = {}) {
  const auto findings = Check(before, now, category, options);
  if (!findings.ok()) return {std::string(findings.status().message())};
  std::vector<std::string> found;
  for (const Finding& finding : *findings) {
    found.push_back(absl::StrCat(finding.rule, " ", finding.symbol));
  }
  return found;
}

TEST(EditionsTest, AFieldDelimitedByAFeatureIsAGroup) {
  const std::string body = "message Part {} message Whole { Part part = 1; }";
  const FileDescriptorSet before = In2023(ParsedSchema(body));
  FileDescriptorSet now = before;
  FileDescriptorProto& file = *now.mutable_file(0);
  SetFeature(file.mutable_message_type(1)->mutable_field(0)->mutable_options(), kFieldFeatures,
             kMessageEncoding, 2);
  EXPECT_THAT(Found(before, now, Category::kWire),
              ElementsAre("FIELD_WIRE_COMPATIBLE_TYPE acme.v1.Whole.part"));
  // The whole file's, taken back by the message.
  FileDescriptorSet inherited = before;
  SetFeature(inherited.mutable_file(0)->mutable_options(), kFileFeatures, kMessageEncoding, 2);
  EXPECT_THAT(Found(now, inherited), IsEmpty());
  SetFeature(inherited.mutable_file(0)->mutable_message_type(1)->mutable_options(),
             kMessageFeatures, kMessageEncoding, 1);
  EXPECT_THAT(Found(before, inherited), IsEmpty());
}

TEST(EditionsTest, RequiredByAFeatureIsRequired) {
  const FileDescriptorSet before = In2023(ParsedSchema("message A { string s = 1; }"));
  FileDescriptorSet now = before;
  SetFeature(now.mutable_file(0)->mutable_message_type(0)->mutable_field(0)->mutable_options(),
             kFieldFeatures, kFieldPresence, 3);
  EXPECT_THAT(Found(before, now, Category::kWire),
              ElementsAre("FIELD_WIRE_COMPATIBLE_CARDINALITY acme.v1.A.s"));
  EXPECT_THAT(
      Found(ParsedSchema("message A { required string s = 1; }", "proto2"), now, Category::kWire),
      ElementsAre("MESSAGE_SAME_REQUIRED_FIELDS acme.v1.A.s"));
}

TEST(EditionsTest, JsonIsPromisedUnlessAFeatureSaysOtherwise) {
  const FileDescriptorSet before = In2023(ParsedSchema("enum E { A = 0; } message M {}"));
  FileDescriptorSet now = before;
  SetFeature(now.mutable_file(0)->mutable_enum_type(0)->mutable_options(), kEnumFeatures,
             kJsonFormat, 2);
  EXPECT_THAT(Found(before, now), ElementsAre("ENUM_SAME_JSON_FORMAT acme.v1.E"));
  SetFeature(now.mutable_file(0)->mutable_options(), kFileFeatures, kJsonFormat, 2);
  EXPECT_THAT(Found(before, now),
              ElementsAre("ENUM_SAME_JSON_FORMAT acme.v1.E", "MESSAGE_SAME_JSON_FORMAT acme.v1.M"));
  EXPECT_THAT(Found(now, before), IsEmpty());
}

TEST(EditionsTest, OneThatIsNotKnownIsNotGuessed) {
  const FileDescriptorSet set = ParsedSchema("message A {}");
  EXPECT_THAT(Found(set, In2023(set, 1001)), IsEmpty());
  EXPECT_THAT(Found(set, In2023(set, 1002)), ElementsAre(HasSubstr("a.proto: edition 1002")));
}

TEST(CheckTest, WhatContradictsItselfIsNamed) {
  FileDescriptorSet set = ParsedSchema("message A { string a = 1; string b = 2; }");
  FileDescriptorSet twice = set;
  twice.mutable_file(0)->mutable_message_type(0)->mutable_field(1)->set_number(1);
  EXPECT_THAT(Found(set, twice), ElementsAre(HasSubstr("acme.v1.A.b has the number 1")));
  twice = set;
  twice.mutable_file(0)->mutable_message_type(0)->mutable_field(1)->clear_type();
  EXPECT_THAT(Found(set, twice), ElementsAre("acme.v1.A.b has no type"));
}

// schema::CheckFiles refuses these; whoever has not asked it reads nothing that is not there.
TEST(CheckTest, AOneofThatIsNotThereIsNone) {
  const FileDescriptorSet set = ParsedSchema("message A { oneof o { string a = 1; } }");
  for (const int index : {-1, std::numeric_limits<int>::min(), 1}) {
    FileDescriptorSet odd = set;
    odd.mutable_file(0)->mutable_message_type(0)->mutable_field(0)->set_oneof_index(index);
    EXPECT_THAT(Found(odd, odd), IsEmpty()) << index;
    EXPECT_THAT(Found(odd, set, Category::kPinion), IsEmpty()) << index;
  }
}

TEST(CheckTest, PlacesBehindAllLinesAreNone) {
  FileDescriptorSet before = ParsedSchema("message A { string a = 1; }");
  FileDescriptorSet now = ParsedSchema("message A {}");
  now.mutable_file(0)->clear_source_code_info();
  auto& location = *now.mutable_file(0)->mutable_source_code_info()->add_location();
  location.add_path(FileDescriptorProto::kMessageTypeFieldNumber);
  location.add_path(0);
  for (const int span : {std::numeric_limits<int>::max(), 0, 0}) location.add_span(span);
  const auto findings = Check(before, now, Category::kPinion);
  ASSERT_TRUE(findings.ok() && findings->size() == 1);
  EXPECT_EQ((*findings)[0].line, 1);
}

TEST(CheckTest, ImportsAndProtobufsOwnTypesAreNotCompared) {
  const FileDescriptorSet before = ParsedSchema("message A { string a = 1; }");
  FileDescriptorSet now = ParsedSchema("message A { bytes b = 1; }");
  EXPECT_THAT(Found(before, now, Category::kWireJson), ::testing::SizeIs(3));
  UnknownFieldSet mark;
  mark.AddVarint(1, 1);
  FileDescriptorSet import = now;
  mark.SerializeToString(
      import.mutable_file(0)->mutable_unknown_fields()->AddLengthDelimited(8042));
  EXPECT_THAT(Found(before, import), IsEmpty());
  now.mutable_file(0)->set_name("google/protobuf/any.proto");
  EXPECT_THAT(Found(before, now), IsEmpty());
}

TEST(CheckTest, UnstablePackagesAreExemptOnRequestByWhatTheyWere) {
  FileDescriptorSet before = ParsedSchema("message A { string a = 1; }");
  FileDescriptorSet now = ParsedSchema("message A { int32 a = 1; }");
  before.mutable_file(0)->set_package("acme.v1beta1");
  now.mutable_file(0)->set_package("acme.v1beta1");
  EXPECT_THAT(Found(before, now, Category::kWire), ::testing::SizeIs(1));
  EXPECT_THAT(Found(before, now, Category::kWire, {.ignore_unstable_packages = true}), IsEmpty());
  before.mutable_file(0)->set_package("acme.v1");
  EXPECT_THAT(Found(before, now, Category::kWire, {.ignore_unstable_packages = true}),
              ElementsAre("FILE_SAME_PACKAGE acme.v1"));
}

TEST(PackagesTest, UnstableIsWhatTheLastPartSays) {
  for (const char* name : {"v1alpha", "v1beta", "a.v1alpha1", "a.b.v12beta3", "a.v1p1alpha",
                           "a.v1p2beta4", "a.v1test", "a.v1testing"}) {
    EXPECT_TRUE(IsUnstablePackage(name)) << name;
  }
  for (const char* name : {"", "a", "a.v1", "a.v1p1", "a.v1alpha1.b", "a.valpha", "a.v1alphax",
                           "a.v1palpha", "a.1alpha", "a.v1p1test"}) {
    EXPECT_FALSE(IsUnstablePackage(name)) << name;
  }
}

}  // namespace
}  // namespace pinion::compat
