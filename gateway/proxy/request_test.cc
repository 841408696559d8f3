#include "gateway/proxy/request.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "gateway/http2/header_block.h"
#include "gtest/gtest.h"

namespace pinion::proxy {
namespace {

http2::HeaderBlock Block(std::initializer_list<std::pair<const char*, const char*>> fields) {
  http2::HeaderBlock block;
  for (const auto& [name, value] : fields) block.Add(name, value);
  return block;
}

std::string Text(const std::vector<http2::HeaderField>& fields) {
  std::string text;
  for (const http2::HeaderField& field : fields)
    absl::StrAppend(&text, field.name, "=", field.value, ";");
  return text;
}

ListenerOptions Listener() {
  ListenerOptions listener;
  listener.identity_header = "api-consumer";
  return listener;
}

TEST(Request, GrpcContentTypes) {
  for (const char* yes :
       {"application/grpc", "application/grpc+proto", "application/grpc;charset=x"}) {
    EXPECT_TRUE(IsGrpcContentType(yes)) << yes;
  }
  for (const char* no : {"", "application/grp", "application/grpc-web", "application/grpcx",
                         "text/plain", "Application/grpc"}) {
    EXPECT_FALSE(IsGrpcContentType(no)) << no;
  }
}

TEST(Request, ReadsWhatRoutingNeeds) {
  const http2::HeaderBlock block = Block({{":method", "POST"},
                                          {":path", "/a.B/C"},
                                          {"content-type", "application/grpc"},
                                          {"grpc-timeout", "1S"},
                                          {"api-version", "^1"},
                                          {"api-consumer", "billing"}});
  const RequestHead head = ReadRequest(block.fields(), Listener(), Options());
  EXPECT_EQ(head.method, "POST");
  EXPECT_EQ(head.path, "/a.B/C");
  EXPECT_TRUE(head.grpc);
  EXPECT_EQ(head.timeout, "1S");
  EXPECT_EQ(head.version, "^1");
  EXPECT_EQ(head.identity, "billing");
  EXPECT_FALSE(head.timeout_repeated || head.version_repeated || head.identity_repeated);
}

TEST(Request, SeesRepeatedFields) {
  const http2::HeaderBlock block = Block({{"grpc-timeout", "1S"},
                                          {"grpc-timeout", "1S"},
                                          {"api-version", ""},
                                          {"api-version", "1.0.0"},
                                          {"api-consumer", "a"},
                                          {"api-consumer", "a"}});
  const RequestHead head = ReadRequest(block.fields(), Listener(), Options());
  EXPECT_TRUE(head.timeout_repeated && head.version_repeated && head.identity_repeated);
}

TEST(Request, BearerTokens) {
  const std::pair<const char*, const char*> tokens[] = {
      {"Bearer a.b.c", "a.b.c"}, {"bearer a", "a"}, {"BEARER   a ", "a"}, {"Bearer\ta", "a"},
      {"Bearer ", ""},           {"Bearer", ""},    {"Bearer a b", "a b"}};
  for (const auto& [value, token] : tokens) EXPECT_EQ(BearerToken(value), token) << value;
  for (const char* other : {"", "Basic YTpi", "Bearertoken", "Bearer-a b", "a Bearer b", "Beare"}) {
    EXPECT_EQ(BearerToken(other), std::nullopt) << other;
  }
}

// Where the listener looks for them; elsewhere they are the instance's own business.
TEST(Request, SecretsForTheGatewayGoNoFurther) {
  const http2::HeaderBlock block = Block({{"authorization", "Bearer a.b.c"},
                                          {"x-api-key", "s3cret"},
                                          {"authorization", "Basic YTpi"},
                                          {"te", "trailers"}});
  const auto forwarded = [&](const ListenerOptions& listener) {
    std::vector<http2::HeaderField> out;
    AddUpstreamFields(block.fields(), listener, Options(), false, true, "", out);
    return Text(out);
  };
  ListenerOptions listener = Listener();
  const std::string all =
      "authorization=Bearer a.b.c;x-api-key=s3cret;authorization=Basic YTpi;te=trailers;";
  EXPECT_EQ(forwarded(listener), all);
  listener.jwt = true;
  listener.api_key_header = "x-api-key";
  EXPECT_EQ(forwarded(listener), "authorization=Basic YTpi;te=trailers;");
  listener.forward_jwt = true;
  EXPECT_EQ(forwarded(listener),
            "authorization=Bearer a.b.c;authorization=Basic YTpi;te=trailers;");
  listener.forward_api_key = true;
  EXPECT_EQ(forwarded(listener), all);
}

TEST(Request, ForwardsInOrderWithoutOurOwnFields) {
  const http2::HeaderBlock block = Block({{":method", "POST"},
                                          {":path", "/a.B/C"},
                                          {"te", "trailers"},
                                          {"x", "1"},
                                          {"api-version", "2.0.0"},
                                          {"api-consumer", "billing"},
                                          {"x", "2"},
                                          {"grpc-timeout", "1S"},
                                          {"k-bin", "AAEC"}});
  std::vector<http2::HeaderField> out;
  AddUpstreamFields(block.fields(), Listener(), Options(), /*trusted=*/true, /*grpc=*/true, "",
                    out);
  EXPECT_EQ(Text(out),
            ":method=POST;:path=/a.B/"
            "C;te=trailers;x=1;api-consumer=billing;x=2;grpc-timeout=1S;k-bin=AAEC;");
  out.clear();
  AddUpstreamFields(block.fields(), Listener(), Options(), /*trusted=*/false, /*grpc=*/true, "900m",
                    out);
  EXPECT_EQ(Text(out),
            ":method=POST;:path=/a.B/C;te=trailers;x=1;x=2;grpc-timeout=900m;k-bin=AAEC;");
}

TEST(Request, AddsTeAndACappedDeadline) {
  std::vector<http2::HeaderField> out;
  const http2::HeaderBlock block = Block({{":path", "/a.B/C"}});
  AddUpstreamFields(block.fields(), Listener(), Options(), true, /*grpc=*/true, "5S", out);
  EXPECT_EQ(Text(out), ":path=/a.B/C;te=trailers;grpc-timeout=5S;");
}

TEST(Request, OnlyGrpcNeedsTe) {
  std::vector<http2::HeaderField> out;
  const http2::HeaderBlock plain = Block({{":path", "/a.B/C"}});
  AddUpstreamFields(plain.fields(), Listener(), Options(), true, /*grpc=*/false, "", out);
  EXPECT_EQ(Text(out), ":path=/a.B/C;");
  out.clear();
  const http2::HeaderBlock asked = Block({{":path", "/a.B/C"}, {"te", "trailers"}});
  AddUpstreamFields(asked.fields(), Listener(), Options(), true, /*grpc=*/false, "", out);
  EXPECT_EQ(Text(out), ":path=/a.B/C;te=trailers;");
}

}  // namespace
}  // namespace pinion::proxy
