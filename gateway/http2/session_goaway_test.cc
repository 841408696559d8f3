// The end of a connection: announced, sudden, and by the peer.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "gateway/http2/session.h"
#include "tests/testing/h2_session.h"

namespace pinion::http2 {
namespace {

namespace h2 = pinion::testing::h2;
using h2::SessionUnderTest;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

const std::vector<HeaderField> kRequest = {
    {":method", "POST"}, {":scheme", "http"}, {":path", "/a"}};
const std::vector<HeaderField> kResponse = {{":status", "200"}};

TEST(GoAway, ByTheServerInTwoPhases) {
  SessionUnderTest client(Role::kClient);
  SessionUnderTest server(Role::kServer);
  Stream* first = client.session.OpenStream(kRequest, true, nullptr);
  Exchange(client, server);
  server.session.GoAwayNotice();
  server.session.Ping(7);
  EXPECT_FALSE(server.session.going_away());
  // Opened before the notice arrives: still served.
  Stream* second = client.session.OpenStream(kRequest, true, nullptr);
  Exchange(client, server);
  EXPECT_EQ(server.events.back(), "ping_ack 7");
  EXPECT_EQ(server.streams.count(3), 1u);
  EXPECT_EQ(client.events.back(), "goaway 2147483647 NO_ERROR ");
  EXPECT_TRUE(client.session.going_away());
  EXPECT_FALSE(client.session.CanOpenStream());
  server.session.GoAwayFinal(ErrorCode::kNoError, "shutting down");
  EXPECT_TRUE(server.session.going_away());
  Exchange(client, server);
  EXPECT_EQ(client.events.back(), "goaway 3 NO_ERROR shutting down");
  server.session.SendHeaders(server.stream(1), kResponse, true);
  server.session.SendHeaders(server.stream(3), kResponse, true);
  Exchange(client, server);
  EXPECT_TRUE(first->closed());
  EXPECT_TRUE(second->closed());
  EXPECT_FALSE(client.session.failed());
}

TEST(GoAway, AfterTheFinalOneNewStreamsAreRefused) {
  SessionUnderTest server(Role::kServer);
  server.Feed(std::string(h2::kPreface) + h2::Settings() + h2::Headers(1, h2::Request()));
  server.session.GoAwayFinal(ErrorCode::kNoError, "");
  server.Frames();
  server.Feed(h2::Frame(h2::kHeaders, h2::kEndHeaders, 3,
                        h2::HpackBlock(h2::Request()) + h2::HpackIndexedLiteral("a", "b")));
  EXPECT_EQ(server.streams.count(3), 0u);
  std::vector<h2::WireFrame> frames = server.Frames();
  ASSERT_EQ(frames.size(), 1u);
  EXPECT_EQ(frames[0].type, h2::kRstStream);
  EXPECT_EQ(frames[0].u32(), static_cast<uint32_t>(ErrorCode::kRefusedStream));
  server.Feed(h2::Data(3, "x") + h2::Frame(h2::kHeaders, 5, 1, "\xbe"));
  EXPECT_EQ(server.events.back(), "trailers 1 end a=b") << "and the tables are in step";
}

TEST(GoAway, FromThePeerTellsWhatToRetry) {
  SessionUnderTest client(Role::kClient);
  client.Feed(h2::Settings());
  for (int i = 0; i < 3; ++i) client.session.OpenStream(kRequest, true, nullptr);
  client.events.clear();
  client.Feed(h2::GoAway(3, 2, "overloaded"));
  EXPECT_THAT(client.events,
              ElementsAre("goaway 3 INTERNAL_ERROR overloaded", "reset 5 REFUSED_STREAM"));
  EXPECT_TRUE(client.stream(5).closed());
  EXPECT_EQ(client.session.active_streams(), 2u);
  EXPECT_EQ(client.session.OpenStream(kRequest, true, nullptr), nullptr);
  client.Feed(h2::Headers(5, {{":status", "200"}}, 5) + h2::Headers(1, {{":status", "200"}}, 5));
  EXPECT_EQ(client.events.back(), "headers 1 end :status=200") << "what is above is ignored";
  client.Feed(h2::GoAway(1, 0));
  EXPECT_EQ(client.events.back(), "reset 3 REFUSED_STREAM") << "it may come down further";
}

TEST(GoAway, TogetherWithNoMoreStreamsInOneRead) {  // CVE-2021-32780
  SessionUnderTest client(Role::kClient);
  client.session.OpenStream(kRequest, true, nullptr);
  client.Feed(h2::GoAway(0, 0) + h2::Settings({{3, 0}}));
  EXPECT_TRUE(client.session.failed()) << "GOAWAY before SETTINGS";
  SessionUnderTest other(Role::kClient);
  other.session.OpenStream(kRequest, true, nullptr);
  other.Feed(h2::Settings({{3, 0}}) + h2::GoAway(0, 0) + h2::Settings({{3, 0}}));
  EXPECT_FALSE(other.session.failed());
  EXPECT_EQ(other.session.active_streams(), 0u);
}

TEST(GoAway, AFailureEndsAllStreams) {
  SessionUnderTest server(Role::kServer);
  server.Feed(std::string(h2::kPreface) + h2::Settings() + h2::Headers(1, h2::Request()) +
              h2::Headers(7, h2::Request()));
  server.Frames();
  server.events.clear();
  server.Feed(h2::Frame(h2::kPing, 0, 0, "short") + h2::Headers(9, h2::Request()));
  EXPECT_THAT(server.events, ::testing::UnorderedElementsAre("reset 1 FRAME_SIZE_ERROR by us",
                                                             "reset 7 FRAME_SIZE_ERROR by us"));
  std::vector<h2::WireFrame> frames = server.Frames();
  ASSERT_EQ(frames.size(), 1u);
  EXPECT_EQ(frames[0].type, h2::kGoAway);
  EXPECT_EQ(frames[0].u32(0), 7u);
  EXPECT_EQ(frames[0].payload.substr(8), "PING of the wrong length");
  server.session.SendHeaders(server.stream(1), kResponse, true);
  server.session.Release(server.stream(1));
  server.session.Ping(1);
  server.session.GoAwayFinal(ErrorCode::kNoError, "");
  EXPECT_TRUE(server.session.output().empty()) << "nothing follows the GOAWAY";
}

}  // namespace
}  // namespace pinion::http2
