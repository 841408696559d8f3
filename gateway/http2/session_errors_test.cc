// Each fault that a peer can commit, written as raw frames, and what RFC 9113 makes of it. The
// cases follow h2spec's; every one runs with the bytes in one piece and one by one.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/testing/h2_session.h"

namespace pinion::http2 {
namespace {

using pinion::testing::h2::Data;
using pinion::testing::h2::Fields;
using pinion::testing::h2::Frame;
using pinion::testing::h2::GoAway;
using pinion::testing::h2::Headers;
using pinion::testing::h2::HpackBlock;
using pinion::testing::h2::HpackIndexedLiteral;
using pinion::testing::h2::HpackLiteral;
using pinion::testing::h2::kAck;
using pinion::testing::h2::kContinuation;
using pinion::testing::h2::kData;
using pinion::testing::h2::kEndHeaders;
using pinion::testing::h2::kEndStream;
using pinion::testing::h2::kGoAway;
using pinion::testing::h2::kHeaders;
using pinion::testing::h2::kPadded;
using pinion::testing::h2::kPing;
using pinion::testing::h2::kPreface;
using pinion::testing::h2::kPriority;
using pinion::testing::h2::kPriorityFlag;
using pinion::testing::h2::kPushPromise;
using pinion::testing::h2::kRstStream;
using pinion::testing::h2::kSettings;
using pinion::testing::h2::kWindowUpdate;
using pinion::testing::h2::Ping;
using pinion::testing::h2::Request;
using pinion::testing::h2::RstStream;
using pinion::testing::h2::SessionUnderTest;
using pinion::testing::h2::Settings;
using pinion::testing::h2::SettingsAck;
using pinion::testing::h2::TakeOutput;
using pinion::testing::h2::U32;
using pinion::testing::h2::WindowUpdate;
using pinion::testing::h2::WireFrame;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

// What the peer's bytes lead to: "ok", "connection CODE", or "stream ID CODE" for the first
// RST_STREAM. A failure of the connection is told even when a stream was reset before it.
std::string Outcome(SessionUnderTest& peer) {
  std::string outcome = "ok";
  for (const WireFrame& frame : peer.Frames()) {
    if (frame.type == kGoAway) {
      EXPECT_TRUE(peer.session.failed());
      EXPECT_EQ(static_cast<ErrorCode>(frame.u32(4)), peer.session.failure());
      EXPECT_FALSE(peer.session.failure_detail().empty());
      return absl::StrCat("connection ", ErrorCodeName(static_cast<ErrorCode>(frame.u32(4))));
    }
    if (frame.type == kRstStream && outcome == "ok") {
      outcome = absl::StrCat("stream ", frame.stream_id, " ",
                             ErrorCodeName(static_cast<ErrorCode>(frame.u32())));
    }
  }
  EXPECT_FALSE(peer.session.failed());
  return outcome;
}

struct Case {
  const char* name;
  std::string bytes;
  const char* outcome;
};

std::string Garbage(size_t size) { return std::string(size, 'x'); }

constexpr char kIdle[] = "connection PROTOCOL_ERROR";
constexpr char kMalformed[] = "stream 1 PROTOCOL_ERROR";

std::vector<Case> FramingCases() {
  const std::string open = Headers(1, Request());
  return {
      {"unknown type", Frame(0x16, 0, 0, "????") + Frame(0x16, 0xff, 7, ""), "ok"},
      {"undefined flags", Frame(kPing, 0x16, 0, "12345678"), "ok"},
      {"reserved bit", Frame(kPing, 0, 0x80000000, "12345678"), "ok"},
      {"DATA of the largest size", open + Data(1, Garbage(16384)), "ok"},
      {"DATA too large", open + Data(1, Garbage(16385)), "connection FRAME_SIZE_ERROR"},
      {"HEADERS too large", Frame(kHeaders, kEndHeaders, 1, Garbage(16385)),
       "connection FRAME_SIZE_ERROR"},
      {"invalid header block", Frame(kHeaders, kEndHeaders, 1, "\x40"),
       "connection COMPRESSION_ERROR"},
      {"invalid block on a stream in error", open + Frame(kHeaders, kEndHeaders, 1, "\x80"),
       "connection COMPRESSION_ERROR"},
      {"PRIORITY within a block", Headers(1, Request(), 0) + Frame(kPriority, 0, 1, U32(3) + "w"),
       "connection PROTOCOL_ERROR"},
      {"HEADERS within a block", Headers(1, Request(), 0) + Headers(3, Request()),
       "connection PROTOCOL_ERROR"},
      {"unknown type within a block", Headers(1, Request(), 0) + Frame(0x16, 0, 0, ""),
       "connection PROTOCOL_ERROR"},
      {"CONTINUATION of another stream",
       Headers(1, Request(), 0) + Frame(kContinuation, kEndHeaders, 3, HpackLiteral("a", "b")),
       "connection PROTOCOL_ERROR"},
      {"CONTINUATIONs",
       Headers(1, Request(), 0) + Frame(kContinuation, 0, 1, HpackLiteral("a", "b")) +
           Frame(kContinuation, 0, 1, "") + Frame(kContinuation, kEndHeaders, 1, ""),
       "ok"},
      {"CONTINUATION after the block's end",
       open + Frame(kContinuation, kEndHeaders, 1, HpackLiteral("a", "b")),
       "connection PROTOCOL_ERROR"},
      {"CONTINUATION after DATA", open + Data(1, "x") + Frame(kContinuation, kEndHeaders, 1, ""),
       "connection PROTOCOL_ERROR"},
      {"CONTINUATION on stream 0", Headers(1, Request(), 0) + Frame(kContinuation, 4, 0, ""),
       "connection PROTOCOL_ERROR"},
  };
}

std::vector<Case> StreamStateCases() {
  const std::string open = Headers(1, Request());
  const std::string half_closed = Headers(1, Request(), kEndHeaders | kEndStream);
  return {
      {"idle: DATA", Data(1, "x"), kIdle},
      {"idle: RST_STREAM", RstStream(1, 8), kIdle},
      {"idle: WINDOW_UPDATE", WindowUpdate(1, 100), kIdle},
      {"idle: CONTINUATION", Frame(kContinuation, kEndHeaders, 1, ""), kIdle},
      {"idle: PRIORITY", Frame(kPriority, 0, 1, U32(0) + "w"), "ok"},
      {"idle: even DATA", open + Data(2, "x"), kIdle},
      {"half-closed: CONTINUATION", half_closed + Frame(kContinuation, 4, 1, ""),
       "connection PROTOCOL_ERROR"},
      {"half-closed: DATA", half_closed + Data(1, "x"), "stream 1 STREAM_CLOSED"},
      {"half-closed: HEADERS", half_closed + Headers(1, {{"a", "b"}}, 5), "stream 1 STREAM_CLOSED"},
      {"half-closed: WINDOW_UPDATE, PRIORITY, RST_STREAM",
       half_closed + WindowUpdate(1, 1) + Frame(kPriority, 0, 1, U32(0) + "w") + RstStream(1, 8),
       "ok"},
      {"reset: DATA", open + RstStream(1, 8) + Data(1, "x"), "stream 1 STREAM_CLOSED"},
      {"reset: HEADERS", open + RstStream(1, 8) + Headers(1, Request()), "stream 1 STREAM_CLOSED"},
      {"reset: the others", open + RstStream(1, 8) + RstStream(1, 8) + WindowUpdate(1, 5), "ok"},
      {"even id", Headers(2, Request()), "connection PROTOCOL_ERROR"},
      {"id below an earlier one", Headers(5, Request(), 5) + Headers(3, Request(), 5),
       "connection PROTOCOL_ERROR"},
      {"HEADERS depending on itself",
       Frame(kHeaders, 4 | kPriorityFlag, 1, U32(1) + "w" + HpackBlock(Request())),
       "stream 1 PROTOCOL_ERROR"},
      {"HEADERS depending on another",
       Frame(kHeaders, 4 | kPriorityFlag, 3, U32(1) + "w" + HpackBlock(Request())), "ok"},
      {"PRIORITY depending on itself", open + Frame(kPriority, 0, 1, U32(1) + "w"),
       "stream 1 PROTOCOL_ERROR"},
      {"PRIORITY of an idle stream depending on itself", Frame(kPriority, 0, 1, U32(1) + "w"),
       "connection PROTOCOL_ERROR"},
  };
}

std::vector<Case> FrameCases() {
  const std::string open = Headers(1, Request());
  return {
      {"DATA on stream 0", open + Data(0, "x"), "connection PROTOCOL_ERROR"},
      {"DATA with too much padding",
       open + Frame(kData, kPadded, 1,
                    "\x05"
                    "1234"),
       "connection PROTOCOL_ERROR"},
      {"HEADERS on stream 0", Headers(0, Request()), "connection PROTOCOL_ERROR"},
      {"HEADERS with too much padding",
       Frame(kHeaders, 4 | kPadded, 1,
             "\x7f"
             "1234"),
       "connection PROTOCOL_ERROR"},
      {"PRIORITY on stream 0", Frame(kPriority, 0, 0, U32(1) + "w"), "connection PROTOCOL_ERROR"},
      {"PRIORITY of 4 bytes", open + Frame(kPriority, 0, 1, "1234"), "stream 1 FRAME_SIZE_ERROR"},
      {"PRIORITY of 4 bytes, idle", Frame(kPriority, 0, 1, "1234"), "connection FRAME_SIZE_ERROR"},
      {"RST_STREAM on stream 0", RstStream(0, 8), "connection PROTOCOL_ERROR"},
      {"RST_STREAM of 3 bytes", open + Frame(kRstStream, 0, 1, "123"),
       "connection FRAME_SIZE_ERROR"},
      {"RST_STREAM with an unknown code", open + RstStream(1, 0xff), "ok"},
      {"SETTINGS ACK with a payload", Frame(kSettings, kAck, 0, "123456"),
       "connection FRAME_SIZE_ERROR"},
      {"SETTINGS on a stream", Frame(kSettings, 0, 1, ""), "connection PROTOCOL_ERROR"},
      {"SETTINGS of 5 bytes", Frame(kSettings, 0, 0, "12345"), "connection FRAME_SIZE_ERROR"},
      {"SETTINGS with bad ENABLE_PUSH", Settings({{2, 2}}), "connection PROTOCOL_ERROR"},
      {"SETTINGS with a huge window", Settings({{4, 0x80000000}}), "connection FLOW_CONTROL_ERROR"},
      {"SETTINGS that make a window overflow",
       open + WindowUpdate(1, 0x7fffffff - 65535) + Settings({{4, 65536}}),
       "connection FLOW_CONTROL_ERROR"},
      {"PUSH_PROMISE", open + Frame(kPushPromise, 4, 1, U32(2) + HpackBlock(Request())),
       "connection PROTOCOL_ERROR"},
      {"PING on a stream", Frame(kPing, 0, 1, "12345678"), "connection PROTOCOL_ERROR"},
      {"PING of 6 bytes", Frame(kPing, 0, 0, "123456"), "connection FRAME_SIZE_ERROR"},
      {"unasked PING ACK", Ping("12345678", kAck), "ok"},
      {"GOAWAY on a stream", Frame(kGoAway, 0, 1, U32(0) + U32(0)), "connection PROTOCOL_ERROR"},
      {"GOAWAY of 7 bytes", Frame(kGoAway, 0, 0, "1234567"), "connection FRAME_SIZE_ERROR"},
      {"GOAWAY with an unknown code", GoAway(0, 0xff, "why"), "ok"},
      {"WINDOW_UPDATE of zero", WindowUpdate(0, 0), "connection PROTOCOL_ERROR"},
      {"WINDOW_UPDATE of zero on a stream", open + WindowUpdate(1, 0), "stream 1 PROTOCOL_ERROR"},
      {"WINDOW_UPDATE of 3 bytes", Frame(kWindowUpdate, 0, 0, "123"),
       "connection FRAME_SIZE_ERROR"},
      {"WINDOW_UPDATE beyond the limit", WindowUpdate(0, 0x7fffffff) + WindowUpdate(0, 0x7fffffff),
       "connection FLOW_CONTROL_ERROR"},
      {"WINDOW_UPDATE beyond a stream's limit", open + WindowUpdate(1, 0x7fffffff),
       "stream 1 FLOW_CONTROL_ERROR"},
      {"id 2^31-1", Headers(0x7fffffff, Request()) + Data(0x7fffffff, "x", kEndStream), "ok"},
      {"nothing above id 2^31-1", Headers(0x7fffffff, Request(), 5) + Headers(1, Request(), 5),
       "connection PROTOCOL_ERROR"},
  };
}

std::vector<Case> MessageCases() {
  auto request = [](const Fields& more) { return Headers(1, Request(more), 5); };
  const std::string open = Headers(1, Request());
  const std::string sized = Headers(1, Request({{"content-length", "4"}}));
  return {
      {"uppercase", request({{"X-Test", "1"}}), kMalformed},
      {"unknown pseudo-header", request({{":test", "1"}}), kMalformed},
      {"response pseudo-header", request({{":status", "200"}}), kMalformed},
      {"pseudo-header behind", request({{"a", "b"}, {":authority", "x"}}), kMalformed},
      {"connection field", request({{"connection", "keep-alive"}}), kMalformed},
      {"te", request({{"te", "trailers, deflate"}}), kMalformed},
      {"CR", request({{"a", "b\rc"}}), kMalformed},
      {"blank in front", request({{"a", " b"}}), kMalformed},
      {"no :path", Headers(1, {{":method", "GET"}, {":scheme", "http"}}, 5), kMalformed},
      {"no fields", Headers(1, {}, 5), kMalformed},
      {"trailers without END_STREAM", open + Headers(1, {{"a", "b"}}), kMalformed},
      {"trailers", open + Headers(1, {{"a", "b"}}, 5), "ok"},
      {"pseudo-header in trailers", open + Headers(1, {{":method", "GET"}}, 5), kMalformed},
      {"uppercase in trailers", open + Headers(1, {{"A", "b"}}, 5), kMalformed},
      {"body as announced", sized + Data(1, "ab") + Data(1, "cd", kEndStream), "ok"},
      {"body padded",
       sized + Frame(kData, kPadded | kEndStream, 1,
                     "\x02"
                     "abcdpp"),
       "ok"},
      {"body too short", sized + Data(1, "abc", kEndStream), kMalformed},
      {"body too long", sized + Data(1, "abcde"), kMalformed},
      {"body missing", Headers(1, Request({{"content-length", "4"}}), 5), kMalformed},
      {"body too short before trailers", sized + Data(1, "abc") + Headers(1, {{"a", "b"}}, 5),
       kMalformed},
  };
}

class ServerErrors : public ::testing::TestWithParam<size_t> {};
INSTANTIATE_TEST_SUITE_P(Pieces, ServerErrors, ::testing::Values(1, SIZE_MAX));

TEST_P(ServerErrors, Frames) {
  for (const std::vector<Case>& cases : {FramingCases(), StreamStateCases(), FrameCases()}) {
    for (const Case& c : cases) {
      SessionUnderTest server(Role::kServer);
      server.Feed(std::string(kPreface) + Settings(), GetParam());
      server.Feed(c.bytes, GetParam());
      EXPECT_EQ(Outcome(server), c.outcome) << c.name;
    }
  }
}

TEST_P(ServerErrors, MalformedMessagesAreNeverSurfaced) {
  for (const Case& c : MessageCases()) {
    SessionUnderTest server(Role::kServer);
    server.Feed(std::string(kPreface) + Settings(), GetParam());
    server.Feed(c.bytes, GetParam());
    EXPECT_EQ(Outcome(server), c.outcome) << c.name;
    if (c.outcome == std::string("ok")) continue;
    EXPECT_THAT(server.events, Not(Contains(HasSubstr(" end")))) << c.name;
    const bool surfaced = !server.streams.empty();
    EXPECT_EQ(surfaced, absl::StrContains(server.events.back(), "reset 1 PROTOCOL_ERROR by us"))
        << c.name << ": " << server.events.back();
    // The connection lives on, and its table is in step.
    server.Feed(Headers(3, Request(), 5), GetParam());
    EXPECT_THAT(server.events.back(), HasSubstr("headers 3 end")) << c.name;
  }
}

// What the decoder knows of a table's entries must not hide a fault of theirs.
TEST_P(ServerErrors, MalformedFieldsOfTheTables) {
  const auto end = kEndStream | kEndHeaders;
  const std::string request = HpackBlock(Request());
  SessionUnderTest server(Role::kServer);
  server.Feed(std::string(kPreface) + Settings(), GetParam());
  server.Feed(
      Frame(kHeaders, end, 1,
            request + HpackIndexedLiteral("good", "x") + HpackIndexedLiteral("connection", "x")));
  EXPECT_THAT(server.events, Not(Contains(HasSubstr("headers 1")))) << "the literal itself";
  server.Feed(Frame(kHeaders, end, 3, request + "\xbe"), GetParam());
  EXPECT_THAT(server.events, Not(Contains(HasSubstr("headers 3")))) << "connection: indexed";
  server.Feed(Frame(kHeaders, end, 5, request + "\xb9"), GetParam());
  EXPECT_THAT(server.events, Not(Contains(HasSubstr("headers 5")))) << "transfer-encoding: static";
  server.Feed(Frame(kHeaders, end, 7, request + "\xbf\x86"), GetParam());
  EXPECT_THAT(server.events, Not(Contains(HasSubstr("headers 7")))) << ":scheme behind a field";
  server.Feed(Frame(kHeaders, end, 9, request + "\xbf"), GetParam());
  EXPECT_THAT(server.events.back(), HasSubstr("headers 9 end"));
  EXPECT_THAT(server.events.back(), HasSubstr("good=x"));
  EXPECT_FALSE(server.session.failed());
}

TEST_P(ServerErrors, Preface) {
  const Case cases[] = {
      {"TLS", "\x16\x03\x01", "connection PROTOCOL_ERROR"},
      {"almost", "PRI * HTTP/2.0\r\n\r\nSM\r\n\rX", "connection PROTOCOL_ERROR"},
      {"PING first", std::string(kPreface) + Ping(), "connection PROTOCOL_ERROR"},
      {"SETTINGS ACK first", std::string(kPreface) + SettingsAck(), "connection PROTOCOL_ERROR"},
      {"HEADERS first", std::string(kPreface) + Headers(1, Request()), "connection PROTOCOL_ERROR"},
      {"not yet", "PRI * HTTP/2.0\r\n", "ok"},
  };
  for (const Case& c : cases) {
    SessionUnderTest server(Role::kServer);
    server.Feed(c.bytes, GetParam());
    EXPECT_EQ(Outcome(server), c.outcome) << c.name;
    EXPECT_FALSE(server.session.established()) << c.name;
  }
}

// Frames on a stream that ended with END_STREAM both ways.
TEST_P(ServerErrors, EndedStreams) {
  const Case cases[] = {
      {"DATA", Data(1, "x"), "connection STREAM_CLOSED"},
      {"HEADERS", Headers(1, Request()), "connection STREAM_CLOSED"},
      {"CONTINUATION", Frame(kContinuation, kEndHeaders, 1, ""), "connection PROTOCOL_ERROR"},
      {"WINDOW_UPDATE", WindowUpdate(1, 10), "ok"},
      {"WINDOW_UPDATE of zero", WindowUpdate(1, 0), "ok"},
      {"RST_STREAM", RstStream(1, 0), "ok"},
      {"PRIORITY", Frame(kPriority, 0, 1, U32(0) + "w"), "ok"},
  };
  for (const Case& c : cases) {
    for (bool released : {false, true}) {
      SessionUnderTest server(Role::kServer);
      server.Feed(std::string(kPreface) + Settings() + Headers(1, Request(), 5), GetParam());
      const std::vector<HeaderField> response = {{":status", "200"}};
      server.session.SendHeaders(server.stream(1), response, true);
      if (released) server.session.Release(server.stream(1));
      server.Feed(c.bytes, GetParam());
      EXPECT_EQ(Outcome(server), c.outcome) << c.name;
    }
  }
}

// Frames on a stream that we have reset may have been under way.
TEST_P(ServerErrors, StreamsThatWeReset) {
  SessionUnderTest server(Role::kServer);
  server.Feed(std::string(kPreface) + Settings() + Headers(1, Request()), GetParam());
  server.session.Reset(server.stream(1), ErrorCode::kCancel);
  EXPECT_EQ(Outcome(server), "stream 1 CANCEL");
  const size_t events = server.events.size();
  // The trailers put a field into the table: the next request refers to it.
  server.Feed(Data(1, Garbage(1000)) + WindowUpdate(1, 0) +
                  Frame(kHeaders, 5, 1, HpackIndexedLiteral("a", "b")) + RstStream(1, 8),
              GetParam());
  EXPECT_EQ(Outcome(server), "ok");
  EXPECT_EQ(server.events.size(), events);
  server.Feed(Frame(kHeaders, 5, 3, HpackBlock(Request()) + "\xbe"), GetParam());
  EXPECT_THAT(server.events.back(), HasSubstr("a=b"));
}

class ClientErrors : public ::testing::TestWithParam<size_t> {};
INSTANTIATE_TEST_SUITE_P(Pieces, ClientErrors, ::testing::Values(1, SIZE_MAX));

std::vector<Case> ResponseCases() {
  const Fields ok = {{":status", "200"}};
  const std::string headers = Headers(1, ok);
  return {
      {"whole", headers + Data(1, "x") + Headers(1, {{"grpc-status", "0"}}, 5), "ok"},
      {"trailers only", Headers(1, {{":status", "200"}, {"grpc-status", "0"}}, 5), "ok"},
      {"interim", Headers(1, {{":status", "103"}}) + Headers(1, {{":status", "100"}}) + headers,
       "ok"},
      {"interim with END_STREAM", Headers(1, {{":status", "103"}}, 5), kMalformed},
      {"101", Headers(1, {{":status", "101"}}), kMalformed},
      {"DATA before HEADERS", Data(1, "x"), kMalformed},
      {"DATA after interim", Headers(1, {{":status", "100"}}) + Data(1, "x"), kMalformed},
      {"no :status", Headers(1, {{"a", "b"}}), kMalformed},
      {"two :status", Headers(1, {{":status", "200"}, {":status", "200"}}), kMalformed},
      {"request pseudo-header", Headers(1, {{":status", "200"}, {":path", "/"}}), kMalformed},
      {"uppercase", Headers(1, {{":status", "200"}, {"A", "b"}}), kMalformed},
      {"trailers without END_STREAM", headers + Headers(1, {{"a", "b"}}), kMalformed},
      {":status in trailers", headers + Headers(1, ok, 5), kMalformed},
      {"body too short",
       Headers(1, {{":status", "200"}, {"content-length", "2"}}) + Data(1, "x", kEndStream),
       kMalformed},
      {"body missing", Headers(1, {{":status", "200"}, {"content-length", "2"}}, 5), kMalformed},
      {"304 with a length", Headers(1, {{":status", "304"}, {"content-length", "2"}}, 5), "ok"},
      {"204 with a body", Headers(1, {{":status", "204"}}) + Data(1, "x", kEndStream), kMalformed},
      {"after the end: DATA", Headers(1, ok, 5) + Data(1, "x"), "stream 1 STREAM_CLOSED"},
      {"after the end: HEADERS", Headers(1, ok, 5) + Headers(1, ok), "stream 1 STREAM_CLOSED"},
      {"after a reset: DATA", RstStream(1, 8) + Data(1, "x"), "stream 1 STREAM_CLOSED"},
      {"idle stream: HEADERS", Headers(3, ok), "connection PROTOCOL_ERROR"},
      {"idle stream: DATA", Data(3, "x"), "connection PROTOCOL_ERROR"},
      {"idle stream: RST_STREAM", RstStream(3, 8), "connection PROTOCOL_ERROR"},
      {"idle stream: WINDOW_UPDATE", WindowUpdate(3, 1), "connection PROTOCOL_ERROR"},
      {"the server's stream: HEADERS", Headers(2, ok), "connection PROTOCOL_ERROR"},
      {"PUSH_PROMISE", Frame(kPushPromise, 4, 1, U32(2) + HpackBlock(Request())),
       "connection PROTOCOL_ERROR"},
      {"SETTINGS with ENABLE_PUSH", Settings({{2, 1}}), "connection PROTOCOL_ERROR"},
      {"DATA beyond the window",
       headers + Data(1, Garbage(16384)) + Data(1, Garbage(16384)) + Data(1, Garbage(16384)) +
           Data(1, Garbage(16384)) + Data(1, "x"),
       "stream 1 FLOW_CONTROL_ERROR"},
      {"frame too large", headers + Data(1, Garbage(16385)), "connection FRAME_SIZE_ERROR"},
  };
}

const std::vector<HeaderField> kCall = {{":method", "POST"}, {":scheme", "http"}, {":path", "/a"}};

TEST_P(ClientErrors, Responses) {
  for (const Case& c : ResponseCases()) {
    SessionUnderTest client(Role::kClient);
    client.session.OpenStream(kCall, false, nullptr);
    std::string preface = TakeOutput(client.session);
    ASSERT_EQ(preface.substr(0, kPreface.size()), kPreface);
    client.Feed(Settings() + SettingsAck(), GetParam());
    client.Feed(c.bytes, GetParam());
    EXPECT_EQ(Outcome(client), c.outcome) << c.name;
    if (absl::StartsWith(c.outcome, "stream")) {
      EXPECT_THAT(client.events.back(), HasSubstr("reset 1 ")) << c.name;
    }
  }
}

TEST_P(ClientErrors, TheAnswerToHeadMayNameALength) {
  SessionUnderTest client(Role::kClient);
  const std::vector<HeaderField> head = {{":method", "HEAD"}, {":scheme", "http"}, {":path", "/"}};
  client.session.OpenStream(head, true, nullptr);
  TakeOutput(client.session);
  client.Feed(Settings() + Headers(1, {{":status", "200"}, {"content-length", "9"}}, 5),
              GetParam());
  EXPECT_EQ(Outcome(client), "ok");
}

TEST_P(ClientErrors, FirstFrameMustBeSettings) {
  SessionUnderTest client(Role::kClient);
  TakeOutput(client.session);
  client.Feed("HTTP/1.1 400 Bad Request\r\n\r\n", GetParam());
  EXPECT_TRUE(client.session.failed());
}

}  // namespace
}  // namespace pinion::http2
