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
       "S.F refers to '.X', which is not in the set"},
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

// A file with a message in which `field` stands beside a field of the oneof `o`.
std::string WithField(const std::string& field) {
  return R"(file { name: "a" package: "acme" message_type { name: "M" oneof_decl { name: "o" }
      field { name: "in_o" number: 1 oneof_index: 0 type: TYPE_INT32 } )" +
         field + " } }";
}

// Debian's protobuf takes these from the wire, and a list is then read beside its end.
TEST(Schema, RefusesIndexesThatLeadOutOfTheirLists) {
  const struct {
    std::string index;
    bool good;
  } kCases[] = {
      {"0", true}, {"-1", false}, {"-2147483648", false}, {"2147483647", false}, {"1", false}};
  for (const auto& c : kCases) {
    const std::string field = "{ name: 'f' number: 2 type: TYPE_INT32 oneof_index: " + c.index;
    const absl::Status status = Parse(FromText(WithField("field " + field + " }"))).status();
    EXPECT_EQ(status.ok(), c.good) << c.index << status;
    if (!c.good) {
      EXPECT_EQ(model::ReasonOf(status), "DESCRIPTOR_SET_MALFORMED");
      EXPECT_THAT(std::string(status.message()),
                  HasSubstr("acme.M.f is in oneof " + c.index + " of 1"));
    }
    // An extension is in no oneof, whatever the message that it stands in has.
    const std::string extension = "extension " + field + " extendee: '.acme.M' }";
    EXPECT_THAT(Services(Parse(FromText(WithField(extension)))),
                HasSubstr("acme.M.f is in oneof " + c.index + " of 0"));
  }
}

TEST(Schema, RefusesNamesThatTheLanguageDoesNotHave) {
  const std::string long_name(600, 'a');
  const auto method = [](const std::string& service, const std::string& name) {
    return "file { name: 'a' package: 'acme' message_type { name: 'M' } service { name: '" +
           service + "' method { name: '" + name +
           "' input_type: '.acme.M' output_type: '.acme.M' } } }";
  };
  const struct {
    std::string set;
    std::string message;
  } kCases[] = {
      {method("S", "A/B"), "acme.S has a method called 'A/B': a name is letters"},
      {method("S", "A B"), "called 'A B'"},
      {method("S", "m\\303\\266"), "called 'm\\xc3\\xb6'"},
      {method("S", "1st"), "called '1st'"},
      {method("S", ""), "acme.S has a method without a name"},
      {method("S", long_name), "at most 511 bytes"},
      {method("S/T", "F"), "acme has a service called 'S/T'"},
      {method("", "F"), "acme has a service without a name"},
      {method(std::string(505, 'a'), "F"), "called 'F'"},
      {"file { name: 'a' package: 'acme..v1' }", "a has the package 'acme..v1'"},
      {"file { name: 'a' package: '.' }", "has the package '.'"},
      {"file { name: 'a' package: '" + long_name + "' }", "a has the package 'aaa"},
      {"file { name: 'a' message_type { name: 'M-1' } }", "a has a message called 'M-1'"},
      {"file { name: 'a' enum_type { name: 'E' value { name: 'A B' } } }", "E has a value called"},
      {"file { name: 'a' enum_type { name: '\\n' } }", "a has an enum called '\\n'"},
      {"file { name: 'a' message_type { name: 'M' oneof_decl { name: '' } } }", "a oneof without"},
      {WithField("field { name: 'a.b' number: 2 }"), "acme.M has a field called 'a.b'"},
      {WithField("field { name: 'f' number: 2 json_name: '\\377' }"),
       "acme.M.f has the json_name '\\xff'"},
      {"file { name: '\\377' }", "has a file '\\xff'"},
      {"file { name: 'a' dependency: '\\377' }", "imports '\\xff'"},
  };
  for (const auto& c : kCases) {
    const absl::Status status = Parse(FromText(c.set)).status();
    EXPECT_EQ(model::ReasonOf(status), "DESCRIPTOR_SET_MALFORMED") << c.set;
    EXPECT_THAT(std::string(status.message()), HasSubstr(c.message));
  }
  EXPECT_EQ(Services(Parse(FromText(method("S", "_a1")))), "acme.S: _a1;");
  EXPECT_TRUE(Parse(FromText(method("S", std::string(504, 'a')))).ok());
  EXPECT_TRUE(
      Parse(FromText(WithField("field { name: 'f' number: 2 json_name: '\\303\\266-1 x' }"))).ok());
}

// Each of a hundred thousand types would be kept with the name of all that it is in.
TEST(Schema, ALongNameAroundManyIsRefusedAtOnce) {
  FileDescriptorSet set;
  auto& file = *set.add_file();
  file.set_name("a");
  file.set_package(std::string(4 << 20, 'a'));
  for (int i = 0; i < 100'000; ++i) file.add_message_type()->set_name("M" + std::to_string(i));
  EXPECT_THAT(Services(Parse(set)), HasSubstr("a has the package 'aaa"));
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
