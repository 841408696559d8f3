#include "gateway/http2/foreign_protocol.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "tests/testing/h2_session.h"

namespace pinion::http2 {
namespace {

namespace h2 = pinion::testing::h2;
using h2::SessionUnderTest;
using h2::TakeOutput;

TEST(ForeignProtocol, AClientOfHttp1GetsAnAnswerThatItUnderstands) {
  for (const char* request : {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", "POST /a.B/C HTTP/1.1\r\n",
                              "PUT /", "HEAD / HTTP/1.0\r\n\r\n", "OPTIONS * HTTP/1.1"}) {
    SessionUnderTest server(Role::kServer);
    server.Feed(request);
    const std::string answer = TakeOutput(server.session);
    EXPECT_TRUE(absl::StartsWith(answer, "HTTP/1.1 505 ")) << answer;
    EXPECT_TRUE(absl::StrContains(answer, "--http2-prior-knowledge")) << answer;
    EXPECT_TRUE(server.session.failed());
    EXPECT_EQ(server.session.failure(), ErrorCode::kHttp11Required);
    server.Feed("GET /again HTTP/1.1\r\n\r\n");
    EXPECT_EQ(TakeOutput(server.session), "");
  }
}

TEST(ForeignProtocol, TheAnswerIsTheSameHoweverTheRequestIsCut) {
  for (const absl::string_view request :
       {"GET / HTTP/1.1\r\n", "POST / HTTP/1.1\r\n", "PUT / HTTP/1.1\r\n", "PATCH / HTTP/1.1\r\n",
        "CONNECT a:1 HTTP/1.1\r\n"}) {
    for (size_t piece = 1; piece < request.size(); ++piece) {
      SessionUnderTest server(Role::kServer);
      server.Feed(request, piece);
      EXPECT_EQ(TakeOutput(server.session), AnswerToHttp1()) << request << " by " << piece;
      EXPECT_EQ(server.session.failure(), ErrorCode::kHttp11Required) << request << " by " << piece;
    }
  }
}

TEST(ForeignProtocol, ABeginningIsNotJudgedBeforeItCanBe) {
  const struct {
    absl::string_view bytes;
    Greeting greeting;
  } cases[] = {
      {"", Greeting::kUndecided},
      {"P", Greeting::kUndecided},
      {"PR", Greeting::kUndecided},
      {"PO", Greeting::kUndecided},
      {"CONNECT", Greeting::kUndecided},
      {"CONNECT ", Greeting::kHttp1},
      {"GET /", Greeting::kHttp1},
      {"GET\t", Greeting::kOther},
      {"PRI * HTTP/1", Greeting::kOther},
      {"p", Greeting::kOther},
      {h2::kPreface.substr(0, 23), Greeting::kUndecided},
      {h2::kPreface, Greeting::kHttp2},
  };
  for (const auto& each : cases) EXPECT_EQ(GreetingOf(each.bytes), each.greeting) << each.bytes;
}

TEST(ForeignProtocol, TheAnswerIsOneMessage) {
  const std::pair<std::string, std::string> parts =
      absl::StrSplit(std::string(AnswerToHttp1()), absl::MaxSplits("\r\n\r\n", 1));
  EXPECT_TRUE(absl::StrContains(parts.first,
                                absl::StrCat("content-length: ", parts.second.size(), "\r\n")));
}

TEST(ForeignProtocol, OtherBytesGetSettingsAndGoAway) {
  for (const char* bytes :
       {"\x16\x03\x01\x02\x00\x01", "SSH-2.0-x\r\n", "get / HTTP/1.1", "GETX", "PRI * HTTP/1.1"}) {
    for (const size_t piece : {size_t{1}, size_t{3}, SIZE_MAX}) {
      SessionUnderTest server(Role::kServer);
      server.Feed(bytes, piece);
      const std::vector<h2::WireFrame> frames = server.Frames();
      ASSERT_GE(frames.size(), 2u) << bytes;
      EXPECT_EQ(frames.front().type, h2::kSettings);
      EXPECT_EQ(frames.back().type, h2::kGoAway);
    }
  }
}

TEST(ForeignProtocol, AServerIsSilentBeforeThePreface) {
  SessionUnderTest server(Role::kServer);
  EXPECT_EQ(TakeOutput(server.session), "");
  server.Feed(h2::kPreface.substr(0, 23));
  EXPECT_EQ(TakeOutput(server.session), "");
  server.Feed(h2::kPreface.substr(23));
  EXPECT_EQ(server.Frames().front().type, h2::kSettings);
}

TEST(ForeignProtocol, GoAwayBeforeThePrefaceComesAfterSettings) {
  SessionUnderTest server(Role::kServer);
  server.session.GoAwayNotice();
  const std::vector<h2::WireFrame> frames = server.Frames();
  EXPECT_EQ(frames.front().type, h2::kSettings);
  EXPECT_EQ(frames.back().type, h2::kGoAway);
  server.Feed(std::string(h2::kPreface) + h2::Settings());
  for (const h2::WireFrame& frame : server.Frames()) {
    EXPECT_TRUE(frame.type != h2::kSettings || frame.flags == h2::kAck);
  }
}

}  // namespace
}  // namespace pinion::http2
