#include "registry/probe/drift.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "google/protobuf/empty.pb.h"
#include "gtest/gtest.h"
#include "tests/testing/parsed_schema.h"

namespace pinion::probe {
namespace {

using pinion::testing::ParsedSchema;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr char kPublished[] = R"(
  service AddressBook {
    rpc Get(Key) returns (Contact);
    rpc List(Key) returns (stream Contact);
  }
  message Key { string id = 1; }
  message Contact {
    string name = 1;
    repeated Phone phones = 2;
    oneof place { string city = 3; string country = 4; }
    map<string, string> labels = 5;
    optional int32 age = 6;
  }
  message Phone { string number = 1; Kind kind = 2; }
  enum Kind { UNKNOWN = 0; MOBILE = 1; }
  message Unused { string text = 1; }
)";

// `kPublished` with `from` replaced.
std::string With(const std::string& from, const std::string& to) {
  std::string text = kPublished;
  const size_t at = text.find(from);
  EXPECT_NE(at, text.npos) << from;
  return text.replace(at, from.size(), to);
}

schema::Schema Published(const std::string& syntax = "proto3") {
  return *schema::Schema::Parse(ParsedSchema(kPublished, syntax, {"Kind"}).SerializeAsString());
}

std::vector<std::string> DifferencesOf(const std::string& shown) {
  auto differences = Differences(Published(), ParsedSchema(shown, "proto3", {"Kind"}));
  EXPECT_TRUE(differences.ok()) << differences.status();
  return differences.ok() ? *differences : std::vector<std::string>{"?"};
}

TEST(Drift, TheSameSchemaHasTheSameDigest) {
  const schema::Schema published = Published();
  google::protobuf::FileDescriptorSet shown = published.files();
  EXPECT_EQ(ShownDigest(shown, {"acme.v1.AddressBook"}), published.digest());
  // What reflection leaves out, and what it adds.
  shown.mutable_file(0)->clear_source_code_info();
  shown.add_file()->set_name("besides.proto");
  EXPECT_EQ(ShownDigest(shown, {"acme.v1.AddressBook"}), published.digest());
  shown.mutable_file(0)->mutable_message_type(0)->mutable_field(0)->set_name("key");
  EXPECT_NE(ShownDigest(shown, {"acme.v1.AddressBook"}), published.digest());
  EXPECT_EQ(ShownDigest(shown, {"acme.v1.AddressBook", "acme.v1.Other"}), std::nullopt);
}

TEST(Drift, WhatIsThereBesidesIsNoDifference) {
  EXPECT_THAT(DifferencesOf(kPublished), IsEmpty());
  EXPECT_THAT(DifferencesOf(With("rpc Get", "rpc Put(Contact) returns (Key); rpc Get")), IsEmpty());
  EXPECT_THAT(DifferencesOf(With("string name = 1;", "string name = 1; string nick = 9;")),
              IsEmpty());
  EXPECT_THAT(DifferencesOf(With("MOBILE = 1;", "MOBILE = 1; FAX = 2;")), IsEmpty());
  EXPECT_THAT(DifferencesOf(With("message Unused { string text = 1; }", "")), IsEmpty())
      << "no method holds it";
  EXPECT_THAT(DifferencesOf(With("string id = 1;", "string id = 1 [deprecated = true];")),
              IsEmpty());
}

TEST(Drift, EveryDifferenceIsNamed) {
  struct Row {
    std::string shown;
    std::string difference;
  };
  const Row rows[] = {
      {With("service AddressBook", "service Addresses"),
       "gRPC service acme.v1.AddressBook is missing"},
      {With("rpc Get(Key) returns (Contact);", ""), "method /acme.v1.AddressBook/Get is missing"},
      {With("rpc Get(Key)", "rpc Get(Phone)"),
       "method /acme.v1.AddressBook/Get takes acme.v1.Phone instead of acme.v1.Key"},
      {With("returns (stream Contact)", "returns (Contact)"),
       "method /acme.v1.AddressBook/List answers with acme.v1.Contact instead of a stream of "
       "acme.v1.Contact"},
      {With("string name = 1;", ""), "field acme.v1.Contact.name is missing"},
      {With("string name = 1;", "string name = 9;"),
       "field acme.v1.Contact.name has number 9 instead of 1"},
      {With("string name = 1;", "string title = 1;"),
       "field 1 of acme.v1.Contact is called title instead of name"},
      {With("string name = 1;", "bytes name = 1;"),
       "field acme.v1.Contact.name is of type bytes instead of string"},
      {With("repeated Phone phones", "Phone phones"), "field acme.v1.Contact.phones is"},
      {With("repeated Phone phones", "repeated Key phones"),
       "field acme.v1.Contact.phones is of type message acme.v1.Key instead of message "
       "acme.v1.Phone"},
      {With("string name = 1;", "string name = 1 [json_name = \"label\"];"),
       "field acme.v1.Contact.name is in JSON label instead of name"},
      {With("oneof place { string city = 3;", "string city = 3; oneof place {"),
       "field acme.v1.Contact.city is in no oneof instead of the oneof place"},
      {With("optional int32 age", "int32 age"), "field acme.v1.Contact.age is"},
      {With("MOBILE = 1;", "CELL = 1;"), "value MOBILE = 1 of enum acme.v1.Kind is missing"},
  };
  for (const Row& row : rows) {
    EXPECT_THAT(DifferencesOf(row.shown), ::testing::Contains(HasSubstr(row.difference)))
        << row.shown;
  }
}

TEST(Drift, TypesDeepBelowAndThoseThatHoldThemselvesAreCompared) {
  const std::string tree =
      "service S { rpc Get(A) returns (A); } message A { B b = 1; } message B ";
  const auto published =
      schema::Schema::Parse(ParsedSchema(tree + "{ A a = 1; int64 n = 2; }").SerializeAsString());
  const auto differences =
      Differences(*published, ParsedSchema(tree + "{ A a = 1; int32 n = 2; }"));
  EXPECT_THAT(*differences, ElementsAre("field acme.v1.B.n is of type int32 instead of int64"));
}

// Two releases of protobuf may meet.
TEST(Drift, ProtobufsOwnTypesAreNotCompared) {
  auto newer =
      ParsedSchema("message A {} service S { rpc Get(A) returns (google.protobuf.Empty); }");
  auto older = newer;
  google::protobuf::Empty::descriptor()->file()->CopyTo(older.add_file());
  google::protobuf::Empty::descriptor()->file()->CopyTo(newer.add_file());
  auto& field = *newer.mutable_file(1)->mutable_message_type(0)->add_field();
  field.set_name("edition");
  field.set_number(14);
  field.set_type(google::protobuf::FieldDescriptorProto::TYPE_INT32);
  field.set_label(google::protobuf::FieldDescriptorProto::LABEL_OPTIONAL);
  const auto published = schema::Schema::Parse(newer.SerializeAsString());
  ASSERT_TRUE(published.ok()) << published.status();
  EXPECT_THAT(*Differences(*published, older), ElementsAre());
}

TEST(Drift, ManyAreBoundedAndASentenceNamesThree) {
  std::string fields;
  for (int i = 1; i <= 300; ++i) absl::StrAppend(&fields, "string f", i, " = ", i, "; ");
  const std::string service = "service S { rpc Get(A) returns (A); } message A { ";
  const auto published =
      schema::Schema::Parse(ParsedSchema(service + fields + "}").SerializeAsString());
  const auto differences = Differences(*published, ParsedSchema(service + "}"));
  EXPECT_EQ(differences->size(), kMaxDifferences);
  EXPECT_EQ(DifferencesText(*differences),
            "field acme.v1.A.f1 is missing, field acme.v1.A.f2 is missing, field acme.v1.A.f3 is "
            "missing, and 97 more");
  // Those that come behind are not even looked for, which takes all of the shown fields for each.
  EXPECT_THAT(differences->back(), HasSubstr("f100 is missing"));
  EXPECT_EQ(DifferencesText({"a"}), "a");
  EXPECT_EQ(DifferencesText({}), "");
}

}  // namespace
}  // namespace pinion::probe
