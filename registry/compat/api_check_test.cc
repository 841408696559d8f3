// PINION: one row a change, in a message that only requests have, only responses have, or both.
#include "registry/compat/api_check.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "gmock/gmock.h"
#include "google/protobuf/duration.pb.h"
#include "google/protobuf/empty.pb.h"
#include "google/protobuf/timestamp.pb.h"
#include "google/protobuf/wrappers.pb.h"
#include "gtest/gtest.h"
#include "registry/compat/check.h"
#include "tests/testing/parsed_schema.h"

namespace pinion::compat {
namespace {

using pinion::testing::CircleOfTypes;
using pinion::testing::ParsedSchema;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const std::vector<std::string> kEnums = {"Kind", "Sort"};

std::vector<Finding> Findings(const std::string& before, const std::string& now,
                              const std::string& syntax = "proto3") {
  const auto findings = Check(ParsedSchema(before, syntax, kEnums),
                              ParsedSchema(now, syntax, kEnums), Category::kPinion);
  EXPECT_TRUE(findings.ok()) << findings.status();
  return findings.ok() ? *findings : std::vector<Finding>{};
}

std::string Summary(const std::vector<Finding>& findings) {
  return absl::StrJoin(findings, ", ", [](std::string* out, const Finding& finding) {
    absl::StrAppend(out, SeverityName(finding.severity), " ", finding.rule, " ",
                    finding.symbol.substr(finding.symbol.rfind('.') + 1));
  });
}

constexpr char kRequestOnly[] = " message Empty {} service S { rpc Call(M) returns (Empty); }";
constexpr char kResponseOnly[] = " message Empty {} service S { rpc Call(Empty) returns (M); }";

struct Row {
  const char* name;
  const char* before;
  const char* now;
  const char* in_requests;
  const char* in_responses;
  const char* syntax = "proto3";
};

constexpr char kNone[] = "";
constexpr char kDangerousType[] = "dangerous FIELD_WIRE_COMPATIBLE_TYPE a";
constexpr char kBreakingType[] = "breaking FIELD_WIRE_COMPATIBLE_TYPE a";

const Row kRows[] = {
    {"renamed", "message M { string a = 1; }", "message M { string b = 1; }", kNone, kNone},
    {"added", "message M { string a = 1; }", "message M { string a = 1; string b = 2; }", kNone,
     kNone},
    {"deleted", "message M { string a = 1; }", "message M {}",
     "breaking FIELD_NO_DELETE_UNLESS_NUMBER_RESERVED a",
     "breaking FIELD_NO_DELETE_UNLESS_NUMBER_RESERVED a"},
    {"deleted and reserved", "message M { string a = 1; }", "message M { reserved 1; }",
     "dangerous FIELD_NO_DELETE a", "dangerous FIELD_NO_DELETE a"},
    {"numbers swapped", "message M { string a = 1; string b = 2; }",
     "message M { string b = 1; string a = 2; }",
     "breaking FIELD_SAME_NUMBER a, breaking FIELD_SAME_NUMBER b",
     "breaking FIELD_SAME_NUMBER a, breaking FIELD_SAME_NUMBER b"},
    {"a name on another's number", "message M { string a = 1; string b = 2; }",
     "message M { reserved 1; string a = 2; }",
     "dangerous FIELD_NO_DELETE a, breaking FIELD_SAME_NUMBER a",
     "dangerous FIELD_NO_DELETE a, breaking FIELD_SAME_NUMBER a"},
    {"a name on a new number", "message M { string a = 1; }",
     "message M { reserved 1; string a = 2; }", "dangerous FIELD_NO_DELETE a",
     "dangerous FIELD_NO_DELETE a"},
    {"wider", "message M { int32 a = 1; }", "message M { int64 a = 1; }", kNone, kDangerousType},
    {"narrower", "message M { int64 a = 1; }", "message M { int32 a = 1; }", kDangerousType, kNone},
    {"unsigned to wider signed", "message M { uint32 a = 1; }", "message M { int64 a = 1; }", kNone,
     kDangerousType},
    {"other sign", "message M { int32 a = 1; }", "message M { uint32 a = 1; }", kDangerousType,
     kDangerousType},
    {"bool to number", "message M { bool a = 1; }", "message M { int32 a = 1; }", kNone,
     kDangerousType},
    {"zigzag", "message M { int32 a = 1; }", "message M { sint32 a = 1; }", kBreakingType,
     kBreakingType},
    {"text to bytes", "message M { string a = 1; }", "message M { bytes a = 1; }", kNone,
     kBreakingType},
    {"bytes to text", "message M { bytes a = 1; }", "message M { string a = 1; }", kBreakingType,
     kNone},
    {"one text to many", "message M { string a = 1; }", "message M { repeated string a = 1; }",
     kNone, kNone},
    {"many texts to one", "message M { repeated string a = 1; }", "message M { string a = 1; }",
     "dangerous FIELD_WIRE_COMPATIBLE_CARDINALITY a", kNone},
    {"one number to many", "message M { int32 a = 1; }", "message M { repeated int32 a = 1; }",
     kNone, "breaking FIELD_WIRE_COMPATIBLE_CARDINALITY a"},
    {"map to its entries", "message M { map<string, int32> a = 1; }",
     "message Pair { string k = 1; int32 v = 2; } message M { repeated Pair a = 1; }", kNone,
     kNone},
    {"presence", "message M { string a = 1; }", "message M { optional string a = 1; }", kNone,
     kNone},
    {"into a oneof of its own", "message M { string a = 1; }",
     "message M { oneof o { string a = 1; } }", kNone, kNone},
    {"into one oneof", "message M { string a = 1; string b = 2; }",
     "message M { oneof o { string a = 1; string b = 2; } }",
     "dangerous FIELD_SAME_ONEOF a, dangerous FIELD_SAME_ONEOF b", kNone},
    {"out of a oneof", "message M { oneof o { string a = 1; string b = 2; } }",
     "message M { string a = 1; string b = 2; }", kNone,
     "dangerous FIELD_SAME_ONEOF a, dangerous FIELD_SAME_ONEOF b"},
    {"oneof renamed", "message M { oneof o { string a = 1; string b = 2; } }",
     "message M { oneof p { string a = 1; string b = 2; } }", kNone, kNone},
    {"type renamed", "message A { string s = 1; } message M { A a = 1; }",
     "message B { string s = 1; } message M { B a = 1; }", kNone, kNone},
    {"type renamed and changed", "message A { string s = 1; } message M { A a = 1; }",
     "message B { int32 s = 1; } message M { B a = 1; }", "breaking FIELD_WIRE_COMPATIBLE_TYPE s",
     "breaking FIELD_WIRE_COMPATIBLE_TYPE s"},
    {"recursive", "message M { M a = 1; string s = 2; }", "message M { M a = 1; bytes s = 2; }",
     kNone, "breaking FIELD_WIRE_COMPATIBLE_TYPE s"},
    {"reservation dropped", "message M { reserved 5; string a = 1; }",
     "message M { string a = 1; }", "note RESERVED_MESSAGE_NO_DELETE M",
     "note RESERVED_MESSAGE_NO_DELETE M"},
    {"enum value renamed", "enum Kind { X = 0; Y = 1; } message M { Kind a = 1; }",
     "enum Kind { X = 0; Z = 1; } message M { Kind a = 1; }", kNone, kNone},
    {"enum value deleted", "enum Kind { X = 0; Y = 1; } message M { Kind a = 1; }",
     "enum Kind { X = 0; } message M { Kind a = 1; }",
     "breaking ENUM_VALUE_NO_DELETE_UNLESS_NUMBER_RESERVED Y",
     "dangerous ENUM_VALUE_NO_DELETE_UNLESS_NUMBER_RESERVED Y"},
    {"enum value reserved", "enum Kind { X = 0; Y = 1; } message M { Kind a = 1; }",
     "enum Sort { reserved 1; X = 0; } message M { Sort a = 1; }",
     "dangerous ENUM_VALUE_NO_DELETE Y", kNone},
    {"enum value moved", "enum Kind { X = 0; Y = 1; } message M { Kind a = 1; }",
     "enum Kind { X = 0; Q = 1; Y = 2; } message M { Kind a = 1; }",
     "breaking ENUM_VALUE_SAME_NUMBER Y", "breaking ENUM_VALUE_SAME_NUMBER Y"},
    {"open enum to number", "enum Kind { X = 0; } message M { Kind a = 1; }",
     "enum Kind { X = 0; } message M { int32 a = 1; }", kNone, kNone},
    {"required added", "message M { optional string a = 1; }",
     "message M { optional string a = 1; required string b = 2; }",
     "breaking MESSAGE_SAME_REQUIRED_FIELDS b", kNone, "proto2"},
    {"required dropped", "message M { required string a = 1; }",
     "message M { optional string a = 1; }", kNone, "breaking MESSAGE_SAME_REQUIRED_FIELDS a",
     "proto2"},
    {"other default", "message M { optional int32 a = 1 [default = 1]; }",
     "message M { optional int32 a = 1 [default = 2]; }", "dangerous FIELD_SAME_DEFAULT a",
     "dangerous FIELD_SAME_DEFAULT a", "proto2"},
    {"one number to many, not packed", "message M { optional int32 a = 1; }",
     "message M { repeated int32 a = 1; }", kNone, "dangerous FIELD_WIRE_COMPATIBLE_CARDINALITY a",
     "proto2"},
    {"extension to field", "message M { extensions 5 to 9; } extend M { optional string a = 5; }",
     "message M { optional int32 a = 5; extensions 6 to 9; }", kBreakingType, kBreakingType,
     "proto2"},
    {"extension from text to bytes",
     "message M { extensions 5 to 9; } extend M { optional string a = 5; }",
     "message M { extensions 5 to 9; } extend M { optional bytes a = 5; }", kNone, kBreakingType,
     "proto2"},
    {"number to closed enum", "enum Kind { X = 0; } message M { optional int32 a = 1; }",
     "enum Kind { X = 0; } message M { optional Kind a = 1; }", kDangerousType, kNone, "proto2"},
};

TEST(ApiCheckTest, ChangesAreJudgedByWhoWritesAndWhoReads) {
  for (const Row& row : kRows) {
    SCOPED_TRACE(row.name);
    const auto findings = [&row](const char* service) {
      return Summary(
          Findings(absl::StrCat(row.before, service), absl::StrCat(row.now, service), row.syntax));
    };
    EXPECT_EQ(findings(kRequestOnly), row.in_requests);
    EXPECT_EQ(findings(kResponseOnly), row.in_responses);
  }
}

TEST(ApiCheckTest, WhatNoMethodUsesGoesBothWays) {
  const auto findings = Findings("message M { int32 a = 1; }", "message M { int64 a = 1; }");
  ASSERT_EQ(findings.size(), 1u);
  EXPECT_THAT(findings[0].message, HasSubstr("the new server sends int64, old clients read int32"));
  EXPECT_EQ(Summary(Findings("message M { string a = 1; }", "message M { bytes a = 1; }")),
            "breaking FIELD_WIRE_COMPATIBLE_TYPE a");
}

TEST(ApiCheckTest, MethodsAndServices) {
  const std::string types = "message A { string s = 1; } message B { string t = 1; } ";
  const auto change = [&types](const std::string& before, const std::string& now) {
    return Summary(Findings(types + before, types + now));
  };
  EXPECT_EQ(change("service S { rpc F(A) returns (B); rpc G(A) returns (B); }",
                   "service S { rpc F(A) returns (B); }"),
            "breaking RPC_NO_DELETE G");
  EXPECT_EQ(change("service S { rpc F(A) returns (B); }", "service T { rpc F(A) returns (B); }"),
            "breaking PACKAGE_SERVICE_NO_DELETE S");
  // A and B are the same but for their names.
  EXPECT_EQ(change("service S { rpc F(A) returns (B); }", "service S { rpc F(B) returns (A); }"),
            "");
  EXPECT_EQ(
      change("service S { rpc F(A) returns (B); }", "service S { rpc F(A) returns (stream B); }"),
      "breaking RPC_SAME_SERVER_STREAMING F");
  EXPECT_EQ(
      change("service S { rpc F(A) returns (stream B); }", "service S { rpc F(A) returns (B); }"),
      "dangerous RPC_SAME_SERVER_STREAMING F");
  EXPECT_EQ(
      change("service S { rpc F(stream A) returns (B); }", "service S { rpc F(A) returns (B); }"),
      "breaking RPC_SAME_CLIENT_STREAMING F");
  EXPECT_EQ(change("service S { rpc F(A) returns (B) { option idempotency_level = IDEMPOTENT; } }",
                   "service S { rpc F(A) returns (B); }"),
            "");  // the text is parsed without the meaning of its options
}

// What a version does not serve nobody calls.
TEST(ApiCheckTest, ServicesCountAsFarAsTheyAreServed) {
  const auto both = ParsedSchema(
      "message A { string s = 1; } message B { int32 n = 1; } service S { rpc F(A) returns (A); } "
      "service T { rpc G(B) returns (B); }");
  const auto changed = ParsedSchema(
      "message A { string s = 1; } message B { string n = 1; } service S { rpc F(A) returns (A); "
      "}");
  const auto change = [](const auto& before, const auto& now, const CheckOptions& options) {
    return Summary(*Check(before, now, Category::kPinion, options));
  };
  const std::string s = "acme.v1.S", t = "acme.v1.T";
  EXPECT_EQ(change(both, both, {.served = Served{{s, t}, {s}}}),
            "breaking PACKAGE_SERVICE_NO_DELETE T");
  EXPECT_EQ(change(both, changed, {.served = Served{{s}, {s}}}), "");
  EXPECT_EQ(change(both, changed, {.served = Served{{s, t}, {s}}}),
            "breaking PACKAGE_SERVICE_NO_DELETE T");
  // Health is the gateway's.
  auto with_health = both;
  google::protobuf::FileDescriptorProto& health = *with_health.add_file();
  health.set_name("grpc/health/v1/health.proto");
  health.set_package("grpc.health.v1");
  health.add_service()->set_name("Health");
  EXPECT_EQ(change(with_health, both, {}), "");
}

// What an unstable service uses of a stable package is still stable.
TEST(ApiCheckTest, AnExemptServiceExemptsNoTypesOfOthers) {
  const auto schema = [](const std::string& type) {
    auto set = ParsedSchema(absl::StrCat("message Event { ", type, " id = 1; }"));
    google::protobuf::FileDescriptorProto& unstable = *set.add_file();
    unstable.set_name("b.proto");
    unstable.set_package("acme.v1alpha1");
    unstable.add_dependency("a.proto");
    auto& service = *unstable.add_service();
    service.set_name("S");
    auto& method = *service.add_method();
    method.set_name("F");
    method.set_input_type(".acme.v1.Event");
    method.set_output_type(".acme.v1.Event");
    return set;
  };
  const auto findings = Check(schema("int32"), schema("string"), Category::kPinion,
                              {.ignore_unstable_packages = true});
  EXPECT_EQ(Summary(*findings), "breaking FIELD_WIRE_COMPATIBLE_TYPE id");
}

TEST(ApiCheckTest, WellKnownTypesMeanMoreThanTheirStructure) {
  auto change = [](const std::string& before, const std::string& now) {
    const auto with_types = [](const std::string& text) {
      auto set = ParsedSchema(text);
      google::protobuf::Timestamp::descriptor()->file()->CopyTo(set.add_file());
      google::protobuf::Duration::descriptor()->file()->CopyTo(set.add_file());
      google::protobuf::Empty::descriptor()->file()->CopyTo(set.add_file());
      google::protobuf::StringValue::descriptor()->file()->CopyTo(set.add_file());
      return set;
    };
    return Summary(*Check(with_types(before), with_types(now), Category::kPinion));
  };
  EXPECT_EQ(change("message M {} service S { rpc F(M) returns (google.protobuf.Timestamp); }",
                   "message M {} service S { rpc F(M) returns (google.protobuf.Duration); }"),
            "breaking RPC_SAME_RESPONSE_TYPE F");
  EXPECT_EQ(change("message M { google.protobuf.Timestamp a = 1; }",
                   "message M { google.protobuf.Duration a = 1; }"),
            "breaking FIELD_WIRE_COMPATIBLE_TYPE a");
  EXPECT_EQ(change("message M {} service S { rpc F(google.protobuf.StringValue) returns (M); }",
                   "message M {} message T { string value = 1; bool all = 2; } "
                   "service S { rpc F(T) returns (M); }"),
            "");
  // Nothing can be misread of a message that has nothing.
  EXPECT_EQ(change("message M { google.protobuf.Empty a = 1; }",
                   "message Done { string by = 1; } message M { Done a = 1; }"),
            "");
  EXPECT_EQ(change("message M {} service S { rpc F(M) returns (google.protobuf.Empty); }",
                   "message M { string by = 1; } service S { rpc F(M) returns (M); }"),
            "");
}

TEST(ApiCheckTest, CustomOptionsNeverTravel) {
  const auto with_options = [](const std::string& text) {
    auto set = ParsedSchema(text, "proto2");
    google::protobuf::FileDescriptorProto::descriptor()->file()->CopyTo(set.add_file());
    return set;
  };
  const std::string rest =
      "extend google.protobuf.FieldOptions { optional Rule rule = 50001; } message M {} "
      "message Deep { optional string s = 1; } service S { rpc F(M) returns (M); }";
  const auto findings = Check(
      with_options(rest + "message Rule { optional string re = 1; optional Deep d = 2; }"),
      with_options(rest + "message Rule { optional string pattern = 3; }"), Category::kPinion);
  EXPECT_EQ(Summary(*findings), "");
}

TEST(ApiCheckTest, APackageThatIsGone) {
  auto before = ParsedSchema("message A {} service S { rpc F(A) returns (A); }");
  auto now = ParsedSchema("message A {}");
  now.mutable_file(0)->set_package("acme.v2");
  const auto findings = Check(before, now, Category::kPinion);
  ASSERT_TRUE(findings.ok());
  EXPECT_EQ(Summary(*findings), "breaking PACKAGE_NO_DELETE v1");
  EXPECT_EQ((*findings)[0].path, "");
}

TEST(ApiCheckTest, OneFindingSaysWhatBreaksInEachDirection) {
  const auto findings = Findings("message M { int32 a = 1; } service S { rpc F(M) returns (M); }",
                                 "message M { sint32 a = 1; } service S { rpc F(M) returns (M); }");
  ASSERT_EQ(findings.size(), 1u);
  EXPECT_THAT(findings[0].message,
              HasSubstr("old clients send int32, the new server reads sint32"));
  EXPECT_THAT(findings[0].message,
              HasSubstr("the new server sends sint32, old clients read int32"));
  EXPECT_FALSE(findings[0].advice.empty());
}

TEST(ApiCheckTest, AChainOfTypesLongerThanAStackIsNoTrouble) {
  std::string before, now;
  for (int i = 0; i < 100'000; ++i) {
    absl::StrAppend(&before, "message M", i, " { M", i + 1, " a = 1; } ");
  }
  absl::StrAppend(&before,
                  "message M100000 { string s = 1; } service S { rpc F(M0) returns (M0); }");
  now = absl::StrReplaceAll(before, {{"string s", "int32 s"}});
  EXPECT_EQ(Summary(Findings(before, now)), "breaking FIELD_WIRE_COMPATIBLE_TYPE s");
}

// Each of the one meets each of the other.
TEST(ApiCheckTest, CirclesOfDifferentLengthsAreComparedAsFarAsThatIsWorthIt) {
  const auto small = Check(CircleOfTypes(20, "string s = 2;"), CircleOfTypes(21, "int32 s = 2;"),
                           Category::kPinion);
  ASSERT_TRUE(small.ok()) << small.status();
  EXPECT_EQ(Summary(*small),
            "breaking FIELD_WIRE_COMPATIBLE_TYPE s, "
            "breaking FIELD_NO_DELETE_UNLESS_NUMBER_RESERVED s");
  const auto large = Check(CircleOfTypes(2000), CircleOfTypes(2001), Category::kPinion);
  EXPECT_TRUE(absl::IsResourceExhausted(large.status())) << large.status();
  EXPECT_THAT(std::string(large.status().message()), HasSubstr("circles of different lengths"));
  // Of one length each meets one.
  EXPECT_TRUE(Check(CircleOfTypes(2000), CircleOfTypes(2000), Category::kPinion).ok());
}

TEST(ApiCheckTest, WhatMeetsManyOthersIsToldOfAFew) {
  constexpr int kOthers = 300;
  std::string now = "service S { rpc F(M0) returns (M0); }";
  for (int i = 0; i < kOthers; ++i) {
    absl::StrAppend(&now, " message T", i, " {} message M", i, " { M", (i + 1) % kOthers,
                    " next = 1; T", i, " s = 2; }");
  }
  const auto findings = Findings(
      "service S { rpc F(M0) returns (M0); } message M0 { M0 next = 1; string s = 2; }", now);
  ASSERT_EQ(Summary(findings), "breaking FIELD_WIRE_COMPATIBLE_TYPE s");
  EXPECT_THAT(findings[0].message, HasSubstr("acme.v1.T10"));
  EXPECT_LT(findings[0].message.size(), 5000u);
}

}  // namespace
}  // namespace pinion::compat
