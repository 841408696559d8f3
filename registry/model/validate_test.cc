#include "registry/model/validate.h"

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"
#include "registry/model/errors.h"

namespace pinion::model {
namespace {

using ::testing::HasSubstr;

template <typename M>
M FromText(const std::string& text) {
  M message;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &message)) << text;
  return message;
}

// `wrong` is a part of the message; empty: valid.
void Expect(const absl::Status& status, const std::string& wrong, const std::string& input) {
  EXPECT_EQ(status.ok(), wrong.empty()) << input << ": " << status;
  if (wrong.empty() || status.ok()) return;
  EXPECT_THAT(std::string(status.message()), HasSubstr(wrong)) << input;
  EXPECT_NE(ReasonOf(status), "") << input;
}

TEST(Validate, Consumers) {
  const struct {
    std::string text, wrong;
  } kCases[] = {
      {R"(name: "billing")", ""},
      {R"(name: "team/billing@eu" default_channel: "canary")", ""},
      {R"(name: "")", "empty"},
      {R"(name: "a b")", "consumer name"},
      {R"(name: "a!b")", "consumer name"},
      {R"(name: "a" default_channel: "@stable")", "@"},
      {R"(name: "a" identities { spiffe_uri: "spiffe://example.org/a" })", ""},
      {R"(name: "a" identities { spiffe_uri: "https://example.org" })", "spiffe://"},
      {R"(name: "a" identities { jwt { issuer: "i" } })", "both issuer and subject"},
      {R"(name: "a" identities { jwt { issuer: "https://i" subject: "J\303\266 O" } })", ""},
      {R"(name: "a" identities { jwt { issuer: "i" subject: "s\000" } })", "control character"},
      {R"(name: "a" identities { jwt { issuer: "i\n" subject: "s" } })", "control character"},
      {R"(name: "a" identities { api_key_sha256: "secret" })", "64 lower-case hexadecimal digits"},
      {R"(name: "a" identities { dns_san: "a b" })", "DNS"},
      {R"(name: "a" identities { trusted_header: "" })", "value"},
      {R"(name: "a" identities { })", "an identity needs one of"},
  };
  for (const auto& c : kCases) {
    Expect(ValidateConsumer(FromText<routing::v1::Consumer>(c.text)), c.wrong, c.text);
  }
}

TEST(Validate, Instances) {
  const std::string head = R"(service: "s" version: "1.0.0" )";
  const struct {
    std::string text, wrong;
  } kCases[] = {
      {R"(address { socket_address { address: "127.0.0.1" port_value: 9001 } })", ""},
      {R"(address { socket_address { address: "::1" port_value: 9001 } })", ""},
      {R"(address { socket_address { address: "db.example.org" port_value: 1 } } weight: 3)", ""},
      {R"(address { pipe { path: "/run/a.sock" } })", ""},
      // What else an address may be is in base/address_test.cc.
      {R"(address { pipe { path: "a.sock" } })", "absolute"},
      {R"(address { socket_address { address: "127.0.0.1" } })", "port"},
      {R"()", "the host is missing"},
      {R"(uid: "u" address { pipe { path: "/a" } })", "uid"},
      {R"(weight: 1000001 address { pipe { path: "/a" } })", "weight"},
      {R"(tls_name: "db.example" address { pipe { path: "/a" } })", ""},
      {R"(tls_name: "db.example\000.evil" address { pipe { path: "/a" } })",
       R"(tls_name "db.example\x00.evil" is no name)"},
  };
  for (const auto& c : kCases) {
    Expect(ValidateInstance(FromText<routing::v1::Instance>(head + c.text)), c.wrong, c.text);
  }
}

TEST(Validate, Methods) {
  for (const char* good : {"", "/acme.AddressBook/Get", "/A/b_1"})
    Expect(ValidateMethod(good), "", good);
  for (const char* bad :
       {"Get", "/Get", "//Get", "/a.B/", "/a.B/C/D", "/a.B/C?d", "a.B/C", "/", "/a!b/C"}) {
    Expect(ValidateMethod(bad), "/package.Service/Method", bad);
  }
  EXPECT_EQ(GrpcServiceOf("/acme.AddressBook/Get"), "acme.AddressBook");
}

TEST(Validate, PinsAndServices) {
  Expect(ValidatePin(
             FromText<routing::v1::Pin>(R"(consumer: "a" service: "s" drain { seconds: 600 })")),
         "", "drain");
  Expect(ValidatePin(
             FromText<routing::v1::Pin>(R"(consumer: "a" service: "s" drain { seconds: -1 })")),
         "24 h", "drain");
  for (const char* drain : {"nanos: -1", "seconds: 86400 nanos: 1", "seconds: 1 nanos: -1",
                            "nanos: 1000000000", "seconds: 9223372036854775807"}) {
    Expect(ValidatePin(FromText<routing::v1::Pin>(
               absl::StrCat("consumer: 'a' service: 's' drain { ", drain, " }"))),
           "24 h", drain);
  }
  Expect(ValidatePin(FromText<routing::v1::Pin>(R"(consumer: "a" service: "S")")), "service name",
         "S");
  Expect(ValidateService(FromText<routing::v1::Service>(R"(name: "db/people" scheme: INTEGER)")),
         "", "");
  Expect(ValidateService(FromText<routing::v1::Service>(R"(name: "s")")), "needs a scheme", "");
  for (const char* scheme : {"SEMVER", "K8S", "INTEGER", "DATE"}) {
    const bool wrong = std::string(scheme) == "DATE";
    Expect(ValidateService(FromText<routing::v1::Service>(
               absl::StrCat("name: 's' version_from_package: true scheme: ", scheme))),
           wrong ? "never is a date" : "", scheme);
  }
  Expect(ValidateService(FromText<routing::v1::Service>(
             R"(name: "s" scheme: SEMVER grpc_services: "a.B" load_balancing: 99)")),
         "load_balancing", "99");
}

TEST(Validate, RetryPolicies) {
  const struct {
    const char* policy;
    const char* says;
  } cases[] = {
      {"max_attempts: 2", ""},
      {"max_attempts: 2 initial_backoff { nanos: 1 } max_backoff { seconds: 315576000000 }", ""},
      {"max_attempts: 2 initial_backoff { nanos: -1 }", "negative"},
      {"max_attempts: 2 max_backoff { seconds: -1 }", "negative"},
      {"max_attempts: 2 max_backoff { seconds: 1 nanos: -1 }", "no duration"},
      {"max_attempts: 2 max_backoff { seconds: 315576000001 }", "no duration"},
  };
  for (const auto& each : cases) {
    Expect(ValidateService(FromText<routing::v1::Service>(
               absl::StrCat("name: 's' scheme: SEMVER retry_policy { ", each.policy, " }"))),
           each.says, each.policy);
  }
}

TEST(Validate, TextsAreUtf8AndBounded) {
  for (const char* good : {"", "plain", "größe", "日本", "😀"})
    Expect(ValidateText("notes", good, 100), "", good);
  for (const char* bad : {"\xff", "\xc0\x80", "\xe6\x97", "a\x80"}) {
    Expect(ValidateText("notes", bad, 100), "UTF-8", bad);
  }
  Expect(ValidateText("notes", "four", 3), "at most 3", "four");
}

TEST(Validate, GuessesTheScheme) {
  const struct {
    const char* name;
    routing::v1::Scheme scheme;
  } kCases[] = {{"1.0.0", routing::v1::SEMVER},
                {"2.0.0-rc.1", routing::v1::SEMVER},
                {"2026-11-23", routing::v1::DATE},
                {"2026-11-23.basil", routing::v1::DATE},
                {"v1beta1", routing::v1::K8S},
                {"7", routing::v1::INTEGER},
                {"1.0", routing::v1::SCHEME_UNSPECIFIED},
                {"foo", routing::v1::SCHEME_UNSPECIFIED}};
  for (const auto& c : kCases) EXPECT_EQ(GuessScheme(c.name), c.scheme) << c.name;
}

}  // namespace
}  // namespace pinion::model
