#include "gateway/route/refusal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/escaping.h"
#include "gateway/limits.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"

namespace pinion::route {
namespace {

using ::testing::HasSubstr;

TEST(RefusalTest, ReasonsAndCodesAreTheDocumentedOnes) {
  struct Case {
    Reason reason;
    std::string name;
    absl::StatusCode code;
    int http;
  };
  const Case cases[] = {
      {Reason::kPinMalformed, "PIN_MALFORMED", absl::StatusCode::kInvalidArgument, 400},
      {Reason::kPinRequired, "PIN_REQUIRED", absl::StatusCode::kInvalidArgument, 400},
      {Reason::kServiceUnknown, "SERVICE_UNKNOWN", absl::StatusCode::kUnimplemented, 501},
      {Reason::kMethodNotInVersion, "METHOD_NOT_IN_VERSION", absl::StatusCode::kUnimplemented, 501},
      {Reason::kVersionNotFound, "VERSION_NOT_FOUND", absl::StatusCode::kUnimplemented, 501},
      {Reason::kVersionRetired, "VERSION_RETIRED", absl::StatusCode::kUnimplemented, 501},
      {Reason::kVersionNotAllowed, "VERSION_NOT_ALLOWED", absl::StatusCode::kPermissionDenied, 403},
      {Reason::kConsumerRequired, "CONSUMER_REQUIRED", absl::StatusCode::kUnauthenticated, 401},
      {Reason::kCredentialInvalid, "CREDENTIAL_INVALID", absl::StatusCode::kUnauthenticated, 401},
      {Reason::kCredentialUnchecked, "CREDENTIAL_UNCHECKED", absl::StatusCode::kUnavailable, 503},
      {Reason::kNoHealthyInstance, "NO_HEALTHY_INSTANCE", absl::StatusCode::kUnavailable, 503},
      {Reason::kUpstreamConnectFailed, "UPSTREAM_CONNECT_FAILED", absl::StatusCode::kUnavailable,
       503},
      {Reason::kUpstreamReset, "UPSTREAM_RESET", absl::StatusCode::kInternal, 502},
      {Reason::kRateLimited, "RATE_LIMITED", absl::StatusCode::kResourceExhausted, 429},
      {Reason::kOverloaded, "OVERLOADED", absl::StatusCode::kResourceExhausted, 429},
  };
  for (const Case& c : cases) {
    const Refusal refusal = MakeRefusal(c.reason, "m");
    EXPECT_EQ(ReasonName(c.reason), c.name);
    EXPECT_EQ(refusal.code, c.code) << c.name;
    EXPECT_EQ(HttpStatus(refusal), c.http) << c.name;
    EXPECT_NE(refusal.code, absl::StatusCode::kNotFound);
    EXPECT_NE(refusal.code, absl::StatusCode::kFailedPrecondition);
  }
}

TEST(RefusalTest, DetailsHoldOneErrorInfo) {
  Refusal refusal =
      MakeRefusal(Reason::kPinRequired, "set a pin", {{"service", "greeter"}, {"consumer", ""}});
  google::rpc::Status status;
  ASSERT_TRUE(status.ParseFromString(StatusDetails(refusal)));
  EXPECT_EQ(status.code(), 3);
  EXPECT_EQ(status.message(), "set a pin");
  ASSERT_EQ(status.details_size(), 1);
  google::rpc::ErrorInfo info;
  ASSERT_TRUE(status.details(0).UnpackTo(&info));
  EXPECT_EQ(status.details(0).type_url(), "type.googleapis.com/google.rpc.ErrorInfo");
  EXPECT_EQ(info.reason(), "PIN_REQUIRED");
  EXPECT_EQ(info.domain(), "pinion");
  EXPECT_EQ(info.metadata().at("service"), "greeter");
  EXPECT_EQ(info.metadata().count("consumer"), 0u);  // empty values are left out

  refusal.help_url = "https://example.com/pins";
  ASSERT_TRUE(status.ParseFromString(StatusDetails(refusal)));
  ASSERT_EQ(status.details_size(), 2);
  google::rpc::Help help;
  ASSERT_TRUE(status.details(1).UnpackTo(&help));
  EXPECT_EQ(help.links(0).url(), "https://example.com/pins");
}

TEST(RefusalTest, ResetCarriesTheCodeOfTheReset) {
  const Refusal refusal =
      MakeRefusalWithCode(Reason::kUpstreamReset, absl::StatusCode::kPermissionDenied, "reset");
  google::rpc::Status status;
  ASSERT_TRUE(status.ParseFromString(StatusDetails(refusal)));
  EXPECT_EQ(status.code(), 7);
}

TEST(RefusalTest, PrintableEscapesAndCuts) {
  EXPECT_EQ(Printable("^1.4"), "^1.4");
  EXPECT_EQ(Printable(absl::string_view("a\0\r\n\xff", 5)), "a\\x00\\x0d\\x0a\\xff");
  EXPECT_EQ(Printable("0123456789", 10), "0123456789");
  EXPECT_EQ(Printable("0123456789a", 10), "0123456...");
  EXPECT_EQ(Printable(std::string(100000, '\n'), 10), "\\x0a\\x0...");
  EXPECT_EQ(Printable(""), "");
}

// As the sender writes grpc-message: RFC 3986's percent-encoding outside printable ASCII and for
// '%'.
size_t PercentEncodedBytes(absl::string_view message) {
  size_t bytes = 0;
  for (const char c : message) bytes += c < ' ' || c > '~' || c == '%' ? 3 : 1;
  return bytes;
}

TEST(RefusalTest, FitsWhateverItIsMadeOf) {
  for (const size_t size : {0, 10, 200, 1000, 5000, 100000}) {
    for (const char c : {'a', '%', '"', '\n', '\xff'}) {
      const std::string text(size, c);
      const Refusal refusal = MakeRefusal(
          Reason::kVersionNotFound, text + text,
          {{"service", text}, {"consumer", text}, {"asked", text}, {"available", text + text}});
      const size_t sent =
          PercentEncodedBytes(refusal.message) + absl::Base64Escape(StatusDetails(refusal)).size();
      EXPECT_LE(sent + sizeof("grpc-messagegrpc-status-details-bingrpc-status12") + 3 * 32,
                limits::kMaxRefusalBytes);
      EXPECT_GE(refusal.message.size(), std::min<size_t>(2 * size, 100));
      for (const char printed : refusal.message) EXPECT_TRUE(printed >= ' ' && printed <= '~');
    }
  }
}

TEST(RefusalTest, JsonBody) {
  const Refusal refusal = MakeRefusal(Reason::kPinMalformed, "a \"quoted\" \\ thing\n",
                                      {{"asked", "\"1\""}, {"source", "api-version"}});
  EXPECT_EQ(JsonBody(refusal),
            "{\"error\":{\"code\":400,\"message\":\"a \\\"quoted\\\" \\\\ thing\\\\x0a\","
            "\"status\":\"INVALID_ARGUMENT\",\"details\":[{\"@type\":"
            "\"type.googleapis.com/google.rpc.ErrorInfo\",\"reason\":\"PIN_MALFORMED\","
            "\"domain\":\"pinion\",\"metadata\":{\"asked\":\"\\\"1\\\"\","
            "\"source\":\"api-version\"}}]}}\n");
}

TEST(RefusalTest, MalformedPathNamesTheForm) {
  const Refusal refusal = MalformedPath("/a b\n");
  EXPECT_EQ(refusal.reason, Reason::kServiceUnknown);
  EXPECT_THAT(refusal.message, HasSubstr("/package.Service/Method"));
  EXPECT_THAT(refusal.message, HasSubstr("/a b\\x0a"));
}

}  // namespace
}  // namespace pinion::route
