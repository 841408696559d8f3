#include "registry/schema/schema.h"

#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "google/rpc/error_details.pb.h"
#include "gtest/gtest.h"
#include "registry/model/errors.h"
#include "registry/schema/digest.h"

namespace pinion::schema {
namespace {

using google::protobuf::FileDescriptorSet;
using ::testing::HasSubstr;

// An address book that imports a common file.
constexpr char kCommon[] = R"(
  file {
    name: "acme/common.proto" package: "acme" syntax: "proto3"
    message_type { name: "Empty" }
  })";
constexpr char kBook[] = R"(
  file {
    name: "acme/book.proto" package: "acme" dependency: "acme/common.proto" syntax: "proto3"
    message_type {
      name: "Contact"
      field { name: "full_name" number: 1 type: TYPE_STRING label: LABEL_OPTIONAL }
      field { name: "kind" number: 2 type: TYPE_ENUM type_name: ".acme.Contact.Kind" }
      enum_type { name: "Kind" value { name: "UNKNOWN" number: 0 } }
    }
    service {
      name: "AddressBook"
      method { name: "Get" input_type: ".acme.Empty" output_type: ".acme.Contact" }
      method { name: "Add" input_type: ".acme.Contact" output_type: ".acme.Empty" }
    }
  })";

FileDescriptorSet FromText(const std::string& text) {
  FileDescriptorSet set;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &set));
  return set;
}

absl::StatusOr<Schema> Parse(const FileDescriptorSet& set,
                             const std::vector<std::string>& wanted = {}) {
  return Schema::Parse(set.SerializeAsString(), wanted);
}

// "service: method method" of each.
std::string Services(const absl::StatusOr<Schema>& schema) {
  if (!schema.ok()) return std::string(schema.status().message());
  std::string text;
  for (const GrpcService& service : schema->services()) {
    text += service.name + ":";
    for (const std::string& method : service.methods) text += " " + method;
    text += ";";
  }
  return text;
}

TEST(Schema, FindsServicesAndMethods) {
  EXPECT_EQ(Services(Parse(FromText(std::string(kBook) + kCommon))), "acme.AddressBook: Get Add;");
}

TEST(Schema, RefusesWhatIsNotADescriptorSet) {
  for (const std::string& bytes :
       {std::string("syntax = \"proto3\";"), std::string("\x00\x01\x02", 3),
        std::string("{\"file\": []}"), std::string("\x0a\x00", 2)}) {
    const absl::Status status = Schema::Parse(bytes).status();
    EXPECT_EQ(model::ReasonOf(status), "DESCRIPTOR_SET_MALFORMED") << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr("--include_imports"));
  }
}

TEST(Schema, RefusesMissingImportsByName) {
  const absl::Status status = Parse(FromText(kBook)).status();
  EXPECT_TRUE(absl::IsInvalidArgument(status));
  EXPECT_EQ(model::ReasonOf(status), "IMPORTS_MISSING");
  EXPECT_THAT(std::string(status.message()), HasSubstr("acme/common.proto"));
  EXPECT_THAT(std::string(status.message()), HasSubstr("--include_imports"));
  google::rpc::PreconditionFailure failure;
  ASSERT_TRUE(
      failure.ParseFromString(std::string(*status.GetPayload(model::kPreconditionFailureUrl))));
  ASSERT_EQ(failure.violations_size(), 1);
  EXPECT_EQ(failure.violations(0).subject(), "acme/common.proto");
}

TEST(Schema, RefusesContradictions) {
  const struct {
    std::string file;
    std::string message;
  } kCases[] = {
      {R"(file { name: "a" message_type { name: "M" } message_type { name: "M" } })",
       "M is declared twice"},
      {R"(file { name: "a" } file { name: "a" })", "a is in the set twice"},
      {R"(file { name: "a"
                 service { name: "S" method { name: "F" input_type: ".X" output_type: ".X" } } })",
       "S.F refers to .X, which is not in the set"},
      {R"(file { name: "a" message_type { name: "M" field { name: "f" type_name: "M" } } })",
       "not a full name"},
      {R"(file { name: "a" message_type { name: "M" }
          service { name: "S" method { name: "F" input_type: ".M" output_type: ".M" }
                              method { name: "F" input_type: ".M" output_type: ".M" } } })",
       "S.F is declared twice"},
  };
  for (const auto& c : kCases) {
    const absl::Status status = Parse(FromText(c.file)).status();
    EXPECT_EQ(model::ReasonOf(status), "DESCRIPTOR_SET_MALFORMED");
    EXPECT_THAT(std::string(status.message()), HasSubstr(c.message));
  }
}

TEST(Schema, LeavesOutWhatIsNotTheVersionsOwn) {
  const std::string health = R"(
    file { name: "health.proto" package: "grpc.health.v1" message_type { name: "R" }
           service { name: "Health" method { name: "Check" input_type: ".grpc.health.v1.R"
                                             output_type: ".grpc.health.v1.R" } } })";
  const std::string operations = R"(
    file { name: "op.proto" package: "google.longrunning" message_type { name: "O" }
           service { name: "Operations" method { name: "Get" input_type: ".google.longrunning.O"
                                                 output_type: ".google.longrunning.O" } } })";
  const std::string own = R"(
    file { name: "own.proto" package: "own" dependency: "op.proto"
           service { name: "S" method { name: "F" input_type: ".google.longrunning.O"
                                        output_type: ".google.longrunning.O" } } })";
  const FileDescriptorSet set = FromText(health + operations + own);
  EXPECT_EQ(Services(Parse(set)), "own.S: F;");
  EXPECT_EQ(Services(Parse(set, {"google.longrunning.Operations", "own.S"})),
            "google.longrunning.Operations: Get;own.S: F;");
  EXPECT_EQ(model::ReasonOf(Parse(set, {"own.T"}).status()), "ARGUMENT_INVALID");
  EXPECT_THAT(Services(Parse(set, {"own.T"})), HasSubstr("no gRPC service own.T; it has:"));
  EXPECT_THAT(Services(Parse(set, {"grpc.health.v1.Health"})), HasSubstr("by the gateway itself"));
}

TEST(Schema, DigestLooksAtMeaningOnly) {
  const FileDescriptorSet set = FromText(std::string(kBook) + kCommon);
  const std::string digest = Parse(set)->digest();
  EXPECT_EQ(digest.size(), 64u);

  FileDescriptorSet other = FromText(std::string(kCommon) + kBook);
  EXPECT_EQ(Parse(other)->digest(), digest) << "order of files";
  other = set;
  other.mutable_file(0)->mutable_source_code_info()->add_location()->set_leading_comments("why");
  EXPECT_EQ(Parse(other)->digest(), digest) << "comments";
  other = set;
  other.mutable_file(0)->mutable_message_type(0)->mutable_field(0)->set_json_name("fullName");
  EXPECT_EQ(Parse(other)->digest(), digest) << "json_name as protoc would fill it in";
  other = set;
  other.add_file()->set_name("unused.proto");
  EXPECT_EQ(Parse(other)->digest(), digest) << "a file that nothing imports";

  other = set;
  other.mutable_file(0)->mutable_message_type(0)->mutable_field(0)->set_json_name("name");
  EXPECT_NE(Parse(other)->digest(), digest) << "another json_name";
  other = set;
  other.mutable_file(0)->mutable_message_type(0)->mutable_field(0)->set_number(3);
  EXPECT_NE(Parse(other)->digest(), digest) << "another number";
  other = set;
  other.mutable_file(1)->mutable_message_type(0)->set_name("Empty");
  other.mutable_file(1)->mutable_message_type(0)->add_field()->set_name("more");
  EXPECT_NE(Parse(other)->digest(), digest) << "a change in an imported file";
  other = set;
  other.mutable_file(0)->mutable_options()->mutable_unknown_fields()->AddVarint(50001, 1);
  EXPECT_NE(Parse(other)->digest(), digest) << "an option that we do not know";
}

TEST(Schema, EditionsAreStoredAndRouted) {
  FileDescriptorSet set = FromText(std::string(kBook) + kCommon);
  set.mutable_file(0)->set_syntax("editions");
  set.mutable_file(0)->mutable_unknown_fields()->AddVarint(14, 1000);
  EXPECT_EQ(Services(Parse(set)), "acme.AddressBook: Get Add;");
}

TEST(Schema, JsonNamesAreProtocs) {
  EXPECT_EQ(JsonName("full_name"), "fullName");
  EXPECT_EQ(JsonName("a__b_1c"), "aB1c");
  EXPECT_EQ(JsonName("_lead"), "Lead");
  EXPECT_EQ(JsonName("plain"), "plain");
}

}  // namespace
}  // namespace pinion::schema
