#include "gateway/proxy/errors.h"

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace pinion::proxy {
namespace {

TEST(Errors, GrpcMessageIsPercentEncoded) {
  EXPECT_EQ(EncodeGrpcMessage("plain text, 1 < 2 ~"), "plain text, 1 < 2 ~");
  EXPECT_EQ(EncodeGrpcMessage("100%\t\n"), "100%25%09%0A");
  EXPECT_EQ(EncodeGrpcMessage("\xc3\xa9\x7f"), "%C3%A9%7F");
}

TEST(Errors, HttpStatusesBecomeGrpcCodes) {
  struct Case {
    const char* status;
    absl::StatusCode code;
  } cases[] = {
      {"400", absl::StatusCode::kInternal},         {"401", absl::StatusCode::kUnauthenticated},
      {"403", absl::StatusCode::kPermissionDenied}, {"404", absl::StatusCode::kUnimplemented},
      {"429", absl::StatusCode::kUnavailable},      {"502", absl::StatusCode::kUnavailable},
      {"503", absl::StatusCode::kUnavailable},      {"504", absl::StatusCode::kUnavailable},
      {"500", absl::StatusCode::kUnknown},          {"302", absl::StatusCode::kUnknown}};
  for (const Case& c : cases) EXPECT_EQ(CodeOfHttpStatus(c.status), c.code) << c.status;
}

TEST(Errors, ResetsBecomeGrpcCodes) {
  EXPECT_EQ(CodeOfReset(http2::ErrorCode::kRefusedStream), absl::StatusCode::kUnavailable);
  EXPECT_EQ(CodeOfReset(http2::ErrorCode::kCancel), absl::StatusCode::kCancelled);
  EXPECT_EQ(CodeOfReset(http2::ErrorCode::kEnhanceYourCalm), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(CodeOfReset(http2::ErrorCode::kInadequateSecurity),
            absl::StatusCode::kPermissionDenied);
  for (auto code :
       {http2::ErrorCode::kNoError, http2::ErrorCode::kInternalError, http2::ErrorCode(77)}) {
    EXPECT_EQ(CodeOfReset(code), absl::StatusCode::kInternal);
  }
}

TEST(Errors, TrailersOnlyIsOneWholeBlock) {
  http2::HeaderBlock block;
  AddTrailersOnly(CallError(absl::StatusCode::kDeadlineExceeded, "too late"), block);
  EXPECT_EQ(block.Find(http2::HeaderName::kStatus)->value, "200");
  EXPECT_EQ(block.Find(http2::HeaderName::kContentType)->value, "application/grpc");
  EXPECT_EQ(block.Find(http2::HeaderName::kGrpcStatus)->value, "4");
  EXPECT_EQ(block.Find(http2::HeaderName::kGrpcMessage)->value, "too late");
  EXPECT_EQ(block.Find(http2::HeaderName::kGrpcStatusDetails), nullptr);
}

TEST(Errors, RefusalsCarryUnpaddedDetails) {
  http2::HeaderBlock block;
  AddGrpcStatus(CallError(route::MakeRefusal(route::Reason::kServiceUnknown, "no such service")),
                block);
  EXPECT_EQ(block.Find(http2::HeaderName::kGrpcStatus)->value, "12");
  const http2::HeaderField* details = block.Find(http2::HeaderName::kGrpcStatusDetails);
  ASSERT_NE(details, nullptr);
  EXPECT_EQ(details->value.find('='), absl::string_view::npos);
}

TEST(Errors, OtherCallersGetAnHttpStatusAndJson) {
  CallError error(absl::StatusCode::kInvalidArgument, "say \"gRPC\"\n");
  error.http_status = 400;
  const HttpBody body = HttpBodyOf(error);
  EXPECT_EQ(body.text,
            "{\"error\":{\"code\":400,\"message\":\"say "
            "\\\"gRPC\\\"\\\\x0a\",\"status\":\"INVALID_ARGUMENT\"}}\n");
  http2::HeaderBlock block;
  AddHttpHeaders(error, body, block);
  EXPECT_EQ(block.Find(http2::HeaderName::kStatus)->value, "400");
  EXPECT_EQ(block.Find(http2::HeaderName::kContentType)->value, "application/json");
  EXPECT_EQ(block.Find(http2::HeaderName::kContentLength)->value, absl::StrCat(body.text.size()));
}

TEST(Errors, AnUnsupportedMediaTypeIsToldInPlainText) {
  CallError error(absl::StatusCode::kInvalidArgument, "say \"gRPC\"");
  error.http_status = 415;
  const HttpBody body = HttpBodyOf(error);
  EXPECT_EQ(body.text, "say \"gRPC\"\n");
  EXPECT_EQ(body.content_type, "text/plain; charset=utf-8");
}

}  // namespace
}  // namespace pinion::proxy
