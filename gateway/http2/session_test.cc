// A client session and a server session, connected byte by byte.
#include "gateway/http2/session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gateway/http2/hpack_decoder.h"
#include "gateway/http2/hpack_encoder.h"
#include "tests/testing/h2_session.h"

namespace pinion::http2 {
namespace {

namespace h2 = pinion::testing::h2;
using h2::AsBytes;
using h2::SessionUnderTest;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

using Fields = std::vector<HeaderField>;

const Fields kRequest = {{":method", "POST"}, {":scheme", "http"}, {":path", "/a.B/C"}};
const Fields kResponse = {{":status", "200"}, {"content-type", "application/grpc"}};
const Fields kTrailers = {{"grpc-status", "0"}};

constexpr char kRequestText[] = ":method=POST|:scheme=http|:path=/a.B/C";
constexpr char kResponseText[] = ":status=200|content-type=application/grpc";

// How many bytes each read brings.
class SessionPairTest : public ::testing::TestWithParam<size_t> {
 protected:
  void Exchange() { h2::Exchange(client_, server_, GetParam()); }

  // A call whose request has arrived at the server.
  Stream* Call(absl::string_view body, bool end_stream) {
    Stream* call = client_.session.OpenStream(kRequest, false, nullptr);
    EXPECT_EQ(client_.session.SendData(*call, AsBytes(body), end_stream), body.size());
    Exchange();
    client_.events.clear();
    server_.events.clear();
    return call;
  }

  SessionUnderTest client_{Role::kClient};
  SessionUnderTest server_{Role::kServer};
};

INSTANTIATE_TEST_SUITE_P(Pieces, SessionPairTest,
                         ::testing::Values(1, 2, 3, 8, 9, 10, 17, 100, 1000, SIZE_MAX));

TEST_P(SessionPairTest, UnaryCall) {
  Stream* call = client_.session.OpenStream(kRequest, false, nullptr);
  EXPECT_EQ(call->id(), 1u);
  EXPECT_EQ(client_.session.SendData(*call, AsBytes("hello"), true), 5u);
  EXPECT_TRUE(call->local_closed());
  Exchange();
  EXPECT_THAT(server_.events, ElementsAre("settings", absl::StrCat("headers 1 ", kRequestText),
                                          "data 1 hello end"));
  EXPECT_TRUE(server_.stream(1).remote_closed());
  server_.session.SendHeaders(server_.stream(1), kResponse, false);
  EXPECT_EQ(server_.session.SendData(server_.stream(1), AsBytes("world"), false), 5u);
  server_.session.SendTrailers(server_.stream(1), kTrailers);
  EXPECT_TRUE(server_.stream(1).closed());
  server_.session.Release(server_.stream(1));
  Exchange();
  EXPECT_THAT(client_.events, ElementsAre("settings", absl::StrCat("headers 1 ", kResponseText),
                                          "data 1 world", "trailers 1 end grpc-status=0"));
  EXPECT_TRUE(call->closed());
  client_.session.Release(*call);
  EXPECT_EQ(client_.session.active_streams(), 0u);
  EXPECT_EQ(server_.session.active_streams(), 0u);
  EXPECT_TRUE(client_.session.established());
  EXPECT_EQ(server_.session.last_peer_stream_id(), 1u);
}

TEST_P(SessionPairTest, TrailersOnlyAndEmptyBodies) {
  Stream* call = client_.session.OpenStream(kRequest, true, nullptr);
  Exchange();
  EXPECT_THAT(server_.events.back(), HasSubstr("headers 1 end"));
  server_.session.SendHeaders(server_.stream(1), kResponse, true);
  Exchange();
  EXPECT_THAT(client_.events.back(), HasSubstr("headers 1 end"));
  EXPECT_TRUE(call->closed());

  call = client_.session.OpenStream(kRequest, false, nullptr);
  EXPECT_EQ(client_.session.SendData(*call, {}, true), 0u);
  Exchange();
  EXPECT_EQ(server_.events.back(), "data 3  end");
  server_.session.SendHeaders(server_.stream(3), kResponse, false);
  server_.session.SendTrailers(server_.stream(3), kTrailers);
  Exchange();
  EXPECT_EQ(client_.events.back(), "trailers 3 end grpc-status=0") << "without DATA before";
}

TEST_P(SessionPairTest, RequestTrailersAndInterimResponses) {
  Stream* call = Call("x", false);
  client_.session.SendTrailers(*call, Fields{{"checksum", "7"}});
  server_.session.SendHeaders(server_.stream(1), Fields{{":status", "100"}}, false);
  server_.session.SendHeaders(server_.stream(1), kResponse, true);
  Exchange();
  EXPECT_THAT(server_.events, ElementsAre("trailers 1 end checksum=7"));
  EXPECT_THAT(client_.events,
              ElementsAre("interim 1 :status=100", absl::StrCat("headers 1 end ", kResponseText)));
}

TEST_P(SessionPairTest, CancelByTheClient) {
  Stream* call = Call("x", false);
  client_.session.Release(*call, ErrorCode::kCancel);
  Exchange();
  EXPECT_THAT(server_.events, ElementsAre("reset 1 CANCEL"));
  EXPECT_TRUE(server_.stream(1).closed());
  server_.session.SendHeaders(server_.stream(1), kResponse, false);
  EXPECT_EQ(server_.session.SendData(server_.stream(1), AsBytes("late"), true), 4u);
  EXPECT_TRUE(server_.session.output().empty()) << "a stream that is over takes everything";
  server_.session.Release(server_.stream(1));
  EXPECT_EQ(server_.session.active_streams(), 0u);
}

TEST_P(SessionPairTest, EarlyResponse) {
  Stream* call = Call("x", false);
  server_.session.SendHeaders(server_.stream(1), kResponse, true);
  server_.session.Release(server_.stream(1));
  Exchange();
  EXPECT_THAT(client_.events,
              ElementsAre(absl::StrCat("headers 1 end ", kResponseText), "reset 1 NO_ERROR"));
  EXPECT_TRUE(call->closed());
  EXPECT_FALSE(client_.session.failed());
}

TEST_P(SessionPairTest, NeitherSideIsConfusedByAResetThatCrosses) {
  Stream* call = Call("x", false);
  client_.session.Release(*call, ErrorCode::kCancel);
  server_.session.SendHeaders(server_.stream(1), kResponse, false);
  server_.session.SendData(server_.stream(1), AsBytes("body"), false);
  server_.session.SendTrailers(server_.stream(1), Fields{{"grpc-status", "0"}, {"new", "field"}});
  Exchange();
  EXPECT_THAT(client_.events, IsEmpty());
  Call("y", true);
  server_.session.SendHeaders(server_.stream(3), Fields{{":status", "200"}, {"new", "field"}},
                              true);
  Exchange();
  EXPECT_THAT(client_.events, ElementsAre("headers 3 end :status=200|new=field"));
}

TEST_P(SessionPairTest, PingIsAnswered) {
  client_.session.Ping(42);
  server_.session.Ping(43);
  Exchange();
  EXPECT_EQ(client_.events.back(), "ping_ack 42");
  EXPECT_EQ(server_.events.back(), "ping_ack 43");
}

TEST_P(SessionPairTest, HeadersBeyondOneFrame) {
  const std::string value(50000, '~');
  Fields fields = kRequest;
  fields.push_back({"grpc-message", value});
  client_.session.OpenStream(fields, true, nullptr);
  Exchange();
  EXPECT_EQ(server_.events.back(),
            absl::StrCat("headers 1 end ", kRequestText, "|grpc-message=", value));
}

TEST_P(SessionPairTest, AbandonEndsAllStreams) {
  Call("x", false);
  Call("y", false);
  server_.session.Abandon("connection reset by peer");
  EXPECT_EQ(server_.session.events().size(), 2u);
  for (const Event& event : server_.session.events()) {
    EXPECT_EQ(event.type, EventType::kReset);
    EXPECT_TRUE(event.reset_by_us);
    server_.session.Release(*event.stream);
  }
  server_.session.ReleaseEvents();
  EXPECT_TRUE(server_.session.failed());
  EXPECT_EQ(server_.session.failure_detail(), "connection reset by peer");
  EXPECT_TRUE(server_.session.output().empty());
  EXPECT_EQ(server_.session.Receive(AsBytes("more"), absl::FromUnixSeconds(1)), 4u);
}

TEST(SessionBatch, ResetTakesBackTheEventsThatFollow) {
  SessionUnderTest server(Role::kServer);
  server.Feed(std::string(h2::kPreface) + h2::Settings());
  const std::string bytes = h2::Headers(1, h2::Request()) + h2::Headers(3, h2::Request()) +
                            h2::Data(1, "a") + h2::Data(3, "b") + h2::Data(1, "c", h2::kEndStream) +
                            h2::RstStream(3, 8);
  ASSERT_EQ(server.session.Receive(AsBytes(bytes), server.now), bytes.size());
  std::vector<std::string> seen;
  for (const Event& event : server.session.events()) {
    seen.push_back(h2::Describe(event).substr(0, 9));
    if (event.type == EventType::kHeaders && event.stream->id() == 1) {
      server.session.Release(*event.stream, ErrorCode::kRefusedStream);
    }
  }
  server.session.ReleaseEvents();
  EXPECT_THAT(seen, ElementsAre("headers 1", "headers 3", "", "data 3 b", "", "reset 3 C"));
}

TEST(SessionBatch, AFullBatchWaits) {
  SessionUnderTest server(Role::kServer);
  server.Feed(std::string(h2::kPreface) + h2::Settings() + h2::Headers(1, h2::Request()));
  std::string bytes;
  for (size_t i = 0; i < limits::kEventsPerBatchMax + 10; ++i) bytes += h2::Data(1, "x");
  const size_t taken = server.session.Receive(AsBytes(bytes), server.now);
  EXPECT_EQ(taken, limits::kEventsPerBatchMax * 10);
  EXPECT_EQ(server.session.events().size(), limits::kEventsPerBatchMax);
  server.session.ReleaseEvents();
  EXPECT_EQ(server.session.Receive(AsBytes(bytes).subspan(taken), server.now), 100u);
  server.session.ReleaseEvents();
}

TEST(SessionBatch, TheUserMayKeepAHeaderBlockBySwapping) {
  SessionUnderTest server(Role::kServer);
  server.Feed(std::string(h2::kPreface) + h2::Settings());
  const std::string bytes = h2::Headers(1, h2::Request());
  server.session.Receive(AsBytes(bytes), server.now);
  HeaderBlock mine;
  std::swap(mine, *server.session.events().front().headers);
  server.session.ReleaseEvents();
  server.Feed(h2::Headers(3, h2::Request({{"tracestate", "other=call"}})));
  EXPECT_EQ(mine.Find(HeaderName::kPath)->value, "/a.B/C");
  EXPECT_EQ(mine.Find(HeaderName::kTracestate), nullptr);
}

TEST(SessionStreams, ThePeersLimitHolds) {
  SessionUnderTest client(Role::kClient);
  EXPECT_EQ(client.session.peer_max_concurrent_streams(), 100u);
  client.Feed(h2::Settings({{3, 2}}));
  EXPECT_EQ(client.session.peer_max_concurrent_streams(), 2u);
  Stream* first = client.session.OpenStream(kRequest, true, nullptr);
  EXPECT_NE(client.session.OpenStream(kRequest, true, nullptr), nullptr);
  EXPECT_FALSE(client.session.CanOpenStream());
  EXPECT_EQ(client.session.OpenStream(kRequest, true, nullptr), nullptr);
  client.session.Release(*first, ErrorCode::kCancel);
  EXPECT_TRUE(client.session.CanOpenStream());
  client.Feed(h2::Settings({{3, 0}}));
  EXPECT_FALSE(client.session.CanOpenStream());
}

TEST(SessionStreams, ATableThatWasEmptyForAMomentIsSaidToBeSo) {
  SessionUnderTest client(Role::kClient);
  client.Feed(h2::Settings());
  client.session.OpenStream(kRequest, true, nullptr);
  h2::TakeOutput(client.session);
  client.Feed(h2::Settings({{1, 0}, {1, 4096}}));
  client.session.OpenStream(kRequest, true, nullptr);
  const std::vector<h2::WireFrame> frames = client.Frames();
  ASSERT_FALSE(frames.empty());
  ASSERT_EQ(frames.back().type, h2::kHeaders);
  EXPECT_EQ(frames.back().payload.substr(0, 4), "\x20\x3f\xe1\x1f") << "0, then 4096";
}

TEST(SessionStreams, OurLimitHolds) {
  Options options;
  options.max_concurrent_streams = 2;
  SessionUnderTest server(Role::kServer, options);
  server.Feed(std::string(h2::kPreface) + h2::Settings() + h2::SettingsAck());
  for (uint32_t id : {1, 3, 5}) server.Feed(h2::Headers(id, h2::Request()));
  EXPECT_EQ(server.streams.size(), 2u);
  const std::vector<h2::WireFrame> frames = server.Frames();
  EXPECT_EQ(frames.back().type, h2::kRstStream);
  EXPECT_EQ(frames.back().stream_id, 5u);
  EXPECT_EQ(frames.back().u32(), static_cast<uint32_t>(ErrorCode::kRefusedStream));
  server.Feed(h2::Data(5, "ignored", h2::kEndStream) + h2::RstStream(1, 8) +
              h2::Headers(7, h2::Request()));
  EXPECT_EQ(server.streams.count(7), 1u);
}

TEST(SessionStreams, IdsEndSomewhere) {
  Options options;
  options.first_stream_id = 0x7fffffff - 2;
  SessionUnderTest client(Role::kClient, options);
  EXPECT_EQ(client.session.OpenStream(kRequest, true, nullptr)->id(), 0x7ffffffdu);
  EXPECT_EQ(client.session.OpenStream(kRequest, true, nullptr)->id(), 0x7fffffffu);
  EXPECT_FALSE(client.session.CanOpenStream());
  client.Feed(h2::Settings() + h2::Headers(0x7fffffff, {{":status", "200"}}, 5));
  EXPECT_EQ(client.events.back(), "headers 2147483647 end :status=200");
}

TEST(SessionHeaders, AnOversizedRequestIsRefusedAndPoisonsNothing) {
  for (bool end_stream : {false, true}) {
    SessionUnderTest server(Role::kServer);
    server.Feed(std::string(h2::kPreface) + h2::Settings() + h2::SettingsAck());
    server.Frames();
    std::string block = h2::HpackBlock(h2::Request({{"content-type", "application/grpc"}}));
    for (int i = 0; i < 6; ++i) block += h2::HpackLiteral("big", std::string(10500, 'x'));
    block += h2::HpackIndexedLiteral("late", "field");
    server.Feed(
        h2::Frame(h2::kHeaders, end_stream ? h2::kEndStream : 0, 1, block.substr(0, 16000)));
    server.Feed(h2::Frame(h2::kContinuation, 0, 1, block.substr(16000, 16000)));
    server.Feed(h2::Frame(h2::kContinuation, 0, 1, block.substr(32000, 16000)));
    server.Feed(h2::Frame(h2::kContinuation, h2::kEndHeaders, 1, block.substr(48000)));
    EXPECT_EQ(server.streams.size(), 0u);
    const std::vector<h2::WireFrame> frames = server.Frames();
    ASSERT_EQ(frames.size(), end_stream ? 1u : 2u);
    EXPECT_EQ(frames[0].type, h2::kHeaders);
    EXPECT_EQ(frames[0].flags, h2::kEndHeaders | h2::kEndStream);
    std::vector<uint8_t> scratch;
    HpackDecoder decoder(scratch);
    HeaderBlock answer;
    HeaderListProgress progress;
    ASSERT_TRUE(decoder.Decode(AsBytes(frames[0].payload), true, {10000, 100}, progress, &answer));
    EXPECT_EQ(answer.Find(HeaderName::kStatus)->value, "200");
    EXPECT_EQ(answer.Find(HeaderName::kGrpcStatus)->value, "8");
    server.Feed(h2::Frame(h2::kHeaders, 5, 3, h2::HpackBlock(h2::Request()) + "\xbe"));
    EXPECT_THAT(server.events.back(), HasSubstr("late=field"));
    EXPECT_FALSE(server.session.failed());
  }
}

TEST(SessionHeaders, TooManyFields) {
  SessionUnderTest server(Role::kServer);
  server.Feed(std::string(h2::kPreface) + h2::Settings());
  const std::string hundred(limits::kMaxHeaderFields - 4, '\x90');  // accept-encoding
  server.Feed(h2::Frame(h2::kHeaders, 5, 1, h2::HpackBlock(h2::Request()) + hundred));
  EXPECT_EQ(server.streams.size(), 1u);
  server.Feed(h2::Frame(h2::kHeaders, 5, 3, h2::HpackBlock(h2::Request()) + hundred + "\x90"));
  EXPECT_EQ(server.streams.size(), 1u);
  EXPECT_FALSE(server.session.failed());
}

TEST(SessionHeaders, AnOversizedResponseEndsItsCallOnly) {
  SessionUnderTest client(Role::kClient);
  Stream* call = client.session.OpenStream(kRequest, true, nullptr);
  client.session.OpenStream(kRequest, true, nullptr);
  client.Feed(h2::Settings());
  const std::string block = h2::HpackIndexedLiteral(":status", "200") +
                            std::string(limits::kMaxHeaderFields, '\x90') +
                            h2::HpackIndexedLiteral("late", "field");
  client.Feed(h2::Frame(h2::kHeaders, h2::kEndHeaders, 1, block) + h2::Data(1, "ignored"));
  EXPECT_EQ(client.events.back(), "reset 1 ENHANCE_YOUR_CALM by us");
  EXPECT_TRUE(call->closed());
  client.Feed(h2::Frame(h2::kHeaders, 5, 3, "\xbf\xbe"));
  EXPECT_EQ(client.events.back(), "headers 3 end :status=200|late=field");
}

TEST(SessionHeaders, AStreamResetWithinItsHeaderBlock) {
  SessionUnderTest client(Role::kClient);
  Stream* call = client.session.OpenStream(kRequest, true, nullptr);
  client.Feed(h2::Settings() + h2::Frame(h2::kHeaders, 0, 1, h2::HpackIndexedLiteral("a", "b")));
  client.session.Release(*call, ErrorCode::kCancel);
  client.Feed(h2::Frame(h2::kContinuation, h2::kEndHeaders, 1, h2::HpackLiteral("c", "d")));
  client.session.OpenStream(kRequest, true, nullptr);
  client.Feed(h2::Frame(h2::kHeaders, 5, 3, "\x88\xbe"));
  EXPECT_THAT(client.events, ElementsAre("settings", "headers 3 end :status=200|a=b"));
}

}  // namespace
}  // namespace pinion::http2
