// Peers that want to cost us more than they pay. Each attack ends in ENHANCE_YOUR_CALM with its own
// words, and the honest counterpart of each passes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "gateway/http2/session.h"
#include "tests/testing/h2_session.h"

namespace pinion::http2 {
namespace {

namespace h2 = pinion::testing::h2;
using h2::SessionUnderTest;

std::string Open(StreamId id) { return h2::Headers(id, h2::Request()); }

class FloodTest : public ::testing::Test {
 protected:
  FloodTest() { server_.Feed(std::string(h2::kPreface) + h2::Settings() + h2::SettingsAck()); }

  // Feeds bytes(0), bytes(1), … until the connection fails, at most `max` times; returns how often.
  // What was received is released, and the output is read unless told otherwise.
  int Flood(const std::function<std::string(int)>& bytes, int max, bool read = true) {
    for (int i = 0; i < max; ++i) {
      server_.Feed(bytes(i));
      for (auto& [id, stream] : server_.streams) server_.session.Release(*stream);
      server_.streams.clear();
      server_.events.clear();
      if (server_.session.failed()) return i;
      if (read) h2::TakeOutput(server_.session);
    }
    return max;
  }

  // And that limit has acted, once.
  void ExpectCalm(absl::string_view detail, Limit limit) {
    EXPECT_TRUE(server_.session.failed());
    EXPECT_EQ(server_.session.failure(), ErrorCode::kEnhanceYourCalm);
    EXPECT_EQ(server_.session.failure_detail(), detail);
    EXPECT_EQ(server_.limits.value(limit), 1u) << LimitName(limit);
  }

  SessionUnderTest server_{Role::kServer};
};

TEST_F(FloodTest, Ping) {
  EXPECT_EQ(Flood([](int) { return h2::Ping(); }, 1000), 100);
  ExpectCalm("too many PING frames", Limit::kPings);
}

TEST_F(FloodTest, PingAcksThatNobodyAskedFor) {
  EXPECT_EQ(Flood([](int) { return h2::Ping("12345678", h2::kAck); }, 1000), 100);
  ExpectCalm("too many PING frames", Limit::kPings);
}

TEST_F(FloodTest, KeepaliveEveryTenSecondsForAMonthPasses) {
  const int count = 31 * 24 * 360;
  EXPECT_EQ(Flood(
                [this](int) {
                  server_.now += absl::Seconds(10);
                  return h2::Ping();
                },
                count),
            count);
}

// What grpc-go, gRPC C++ and grpc-java do to measure the bandwidth-delay product.
TEST_F(FloodTest, APingAfterEachDataFramePasses) {
  server_.Feed(Open(1));
  Stream& stream = server_.stream(1);
  for (int i = 0; i < 20000; ++i) {
    server_.session.SendData(stream, h2::AsBytes("0123456789"), false);
    h2::TakeOutput(server_.session);
    server_.Feed(h2::Ping() + h2::WindowUpdate(0, 10) + h2::WindowUpdate(1, 10));
  }
  EXPECT_FALSE(server_.session.failed());
  EXPECT_EQ(Flood([](int) { return h2::Ping(); }, 1000), 100) << "and earns nothing";
}

TEST_F(FloodTest, ALongDownloadEarnsNoRightToAPingFlood) {
  server_.Feed(Open(1));
  Stream& stream = server_.stream(1);
  for (int i = 0; i < 20000; ++i) {
    server_.session.SendData(stream, h2::AsBytes("0123456789"), false);
    h2::TakeOutput(server_.session);
    server_.Feed(h2::WindowUpdate(0, 10) + h2::WindowUpdate(1, 10));
  }
  EXPECT_EQ(Flood([](int) { return h2::Ping(); }, 10000), 1100);
  ExpectCalm("too many PING frames", Limit::kPings);
}

TEST_F(FloodTest, Settings) {
  EXPECT_EQ(Flood([](int) { return h2::Settings({{4, 1000}}); }, 1000), 48);
  ExpectCalm("too many SETTINGS frames", Limit::kSettings);
}

TEST_F(FloodTest, SettingsEntries) {
  std::string payload;
  for (uint32_t i = 0; i < 33; ++i) payload += std::string("\x7f\x00", 2) + h2::U32(i);
  server_.Feed(h2::Frame(h2::kSettings, 0, 0, payload.substr(6)));
  EXPECT_FALSE(server_.session.failed());
  server_.Feed(h2::Frame(h2::kSettings, 0, 0, payload));
  ExpectCalm("too many entries in SETTINGS", Limit::kSettingsEntries);
}

TEST_F(FloodTest, EmptyData) {
  server_.Feed(Open(1));
  server_.streams.clear();
  EXPECT_EQ(Flood([](int) { return h2::Data(1, ""); }, 1000), 100);
  ExpectCalm("too many empty DATA frames", Limit::kEmptyFrames);
}

TEST_F(FloodTest, PaddedEmptyData) {
  server_.Feed(Open(1));
  server_.streams.clear();
  EXPECT_EQ(
      Flood([](int) { return h2::Frame(h2::kData, h2::kPadded, 1, std::string(1, '\0')); }, 1000),
      100);
}

TEST_F(FloodTest, EmptyUnknownFrames) {
  EXPECT_EQ(Flood([](int) { return h2::Frame(0x33, 0, 0); }, 1000), 100);
  ExpectCalm("too many empty frames", Limit::kEmptyFrames);
}

TEST_F(FloodTest, Priority) {
  EXPECT_EQ(Flood([](int) { return h2::Frame(h2::kPriority, 0, 9, h2::U32(0) + "w"); }, 1000), 100);
  ExpectCalm("too many PRIORITY frames", Limit::kPriorities);
}

TEST_F(FloodTest, PriorityAllowanceComesFromActiveStreamsOnly) {
  // Ended calls earn nothing.
  Flood(
      [](int i) { return h2::Headers(2 * i + 1, h2::Request(), 5) + h2::RstStream(2 * i + 1, 8); },
      500);
  EXPECT_EQ(Flood([](int) { return h2::Frame(h2::kPriority, 0, 9, h2::U32(0) + "w"); }, 5000), 100);
}

TEST_F(FloodTest, WindowUpdates) {
  const int survived = Flood([](int) { return h2::WindowUpdate(0, 1); }, 1000);
  EXPECT_EQ(survived, static_cast<int>(limits::kWindowUpdatesAtFirst));
  ExpectCalm("too many WINDOW_UPDATE frames", Limit::kWindowUpdates);
}

TEST_F(FloodTest, WindowUpdatesInStepWithDataPass) {
  server_.Feed(Open(1));
  Stream& stream = server_.stream(1);
  for (int i = 0; i < 20000; ++i) {
    server_.session.SendData(stream, h2::AsBytes("0123456789"), false);
    h2::TakeOutput(server_.session);
    server_.Feed(h2::WindowUpdate(0, 5) + h2::WindowUpdate(1, 5) + h2::WindowUpdate(0, 5) +
                 h2::WindowUpdate(1, 5));
  }
  EXPECT_FALSE(server_.session.failed());
}

TEST_F(FloodTest, RapidReset) {
  const int survived = Flood(
      [](int i) { return h2::Headers(2 * i + 1, h2::Request(), 5) + h2::RstStream(2 * i + 1, 8); },
      5000);
  EXPECT_EQ(survived, static_cast<int>(limits::kResetBurst));
  ExpectCalm("too many RST_STREAM frames", Limit::kResets);
}

TEST_F(FloodTest, RapidResetSlowedDown) {  // one reset after 1.1 s, many streams at once
  StreamId id = 1;
  const int rounds = Flood(
      [this, &id](int) {
        server_.now += absl::Milliseconds(1100);
        std::string bytes;
        for (int i = 0; i < 100; ++i, id += 2) bytes += Open(id) + h2::RstStream(id, 8);
        return bytes;
      },
      1000);
  EXPECT_LT(rounds, 20);
  ExpectCalm("too many RST_STREAM frames", Limit::kResets);
}

TEST_F(FloodTest, ResetsOnEndedStreams) {
  server_.Feed(Open(1));
  EXPECT_EQ(Flood([](int) { return h2::RstStream(1, 8); }, 5000),
            static_cast<int>(limits::kResetBurst));
}

TEST_F(FloodTest, DeadlinesForWeeksPass) {
  // A client that cancels one call in two, at 60 calls a second, for a while.
  StreamId id = 1;
  const std::vector<HeaderField> response = {{":status", "200"}};
  for (int i = 0; i < 20000; ++i, id += 4) {
    server_.now += absl::Milliseconds(33);
    server_.Feed(h2::Headers(id, h2::Request(), 5) + h2::Headers(id + 2, h2::Request(), 5));
    server_.session.SendHeaders(server_.stream(id), response, true);
    server_.Feed(h2::RstStream(id + 2, 8));
    server_.session.Release(server_.stream(id));
    server_.session.Release(server_.stream(id + 2));
    server_.streams.clear();
    server_.events.clear();
    h2::TakeOutput(server_.session);
    ASSERT_FALSE(server_.session.failed()) << i;
  }
}

TEST_F(FloodTest, EarlyResponsesAreCompletedCalls) {
  const std::vector<HeaderField> response = {{":status", "200"}};
  for (StreamId id = 1; id < 12000; id += 4) {
    server_.Feed(Open(id) + Open(id + 2) + h2::RstStream(id + 2, 8));
    server_.session.SendHeaders(server_.stream(id), response, true);
    server_.session.Release(server_.stream(id));
    server_.session.Release(server_.stream(id + 2));
    server_.streams.clear();
    h2::TakeOutput(server_.session);
  }
  EXPECT_FALSE(server_.session.failed());
}

// Streams beyond the limit: a burst before our SETTINGS has arrived is nobody's fault.
TEST(RefusedStreams, AreAFloodOnlyForAPeerThatKnowsTheLimit) {
  for (bool knows : {false, true}) {
    Options options;
    options.max_concurrent_streams = 1;
    SessionUnderTest server(Role::kServer, options);
    server.Feed(std::string(h2::kPreface) + h2::Settings() + (knows ? h2::SettingsAck() : ""));
    for (StreamId id = 1; id < 4000; id += 2) {
      server.Feed(Open(id));
      h2::TakeOutput(server.session);
    }
    EXPECT_EQ(server.session.failed(), knows);
    EXPECT_EQ(server.streams.size(), 1u);
    EXPECT_GE(server.limits.value(Limit::kConcurrentStreams), 1000u);
    EXPECT_EQ(server.limits.value(Limit::kFaultyStreams), knows ? 1u : 0u);
  }
}

TEST_F(FloodTest, AHeaderListThatIsTooLongIsCounted) {
  const h2::Fields many(limits::kMaxHeaderFields + 1, {"x", "y"});
  server_.Feed(h2::Headers(1, h2::Request(many)));
  EXPECT_FALSE(server_.session.failed());
  EXPECT_EQ(server_.limits.value(Limit::kHeaderList), 1u);
}

// Whatever fits into a block: the table is in step afterwards, and other calls are unharmed.
TEST_F(FloodTest, AValueThatIsTooLongEndsOnlyItsCall) {
  StreamId id = 1;
  for (size_t bytes : {62'000, 65'537, 147'000}) {
    const std::string block =
        h2::HpackBlock(h2::Request()) + h2::HpackIndexedLiteral("x", std::string(bytes, 'v'));
    server_.Feed(h2::HeaderFrames(id, block, h2::kEndHeaders) + Open(id + 2));
    EXPECT_FALSE(server_.session.failed()) << bytes << server_.session.failure_detail();
    EXPECT_EQ(server_.streams.count(id), 0u) << bytes;
    EXPECT_EQ(server_.streams.count(id + 2), 1u) << bytes;
    id += 4;
  }
  EXPECT_EQ(server_.limits.value(Limit::kHeaderList), 3u);
}

// Each byte of such a block stands for 4,000.
TEST_F(FloodTest, HpackBomb) {
  const std::string value(4000, 'v');
  server_.Feed(h2::Frame(h2::kHeaders, 5, 1,
                         h2::HpackBlock(h2::Request()) + h2::HpackIndexedLiteral("x", value)));
  EXPECT_EQ(server_.limits.value(Limit::kHeaderList), 0u);
  // Somewhat too long ends its call, and the connection serves the next.
  server_.Feed(
      h2::Frame(h2::kHeaders, 5, 3, h2::HpackBlock(h2::Request()) + std::string(100, '\xbe')) +
      Open(5));
  EXPECT_FALSE(server_.session.failed());
  EXPECT_EQ(server_.limits.value(Limit::kHeaderList), 1u);
  EXPECT_EQ(server_.streams.count(5), 1u);
  server_.Feed(
      h2::Frame(h2::kHeaders, 5, 7, h2::HpackBlock(h2::Request()) + std::string(16000, '\xbe')));
  EXPECT_EQ(server_.session.failure(), ErrorCode::kEnhanceYourCalm);
  EXPECT_EQ(server_.session.failure_detail(), "a header list far beyond what it may be");
  EXPECT_EQ(server_.limits.value(Limit::kHeaderList), 2u);
}

TEST(LimitCounters, EachHasANameOfItsOwn) {
  std::set<absl::string_view> names;
  for (size_t i = 0; i < kLimits; ++i) names.insert(LimitName(static_cast<Limit>(i)));
  EXPECT_EQ(names.size(), kLimits);
  EXPECT_EQ(names.count(""), 0u);
}

TEST_F(FloodTest, MadeYouReset) {  // CVE-2025-8671
  const std::vector<std::function<std::string(StreamId)>> ways = {
      [](StreamId id) { return Open(id) + h2::WindowUpdate(id, 0); },
      [](StreamId id) { return Open(id) + h2::WindowUpdate(id, 0x7fffffff); },
      [](StreamId id) { return h2::Headers(id, h2::Request(), 5) + h2::Data(id, "x"); },
      [](StreamId id) { return h2::Headers(id, h2::Request(), 5) + Open(id); },
      [](StreamId id) { return Open(id) + h2::Frame(h2::kPriority, 0, id, h2::U32(id) + "w"); },
      [](StreamId id) { return Open(id) + h2::Frame(h2::kPriority, 0, id, "1234"); },
      [](StreamId id) {
        return h2::Headers(id, h2::Request({{"X", "1"}}));
      },
      [](StreamId id) {
        return h2::Headers(id, h2::Request({{"content-length", "1"}}), 5);
      },
      [](StreamId id) {
        return h2::Frame(h2::kHeaders, 4, id,
                         h2::HpackBlock(h2::Request()) + std::string(100, '\x90'));
      },
  };
  for (size_t way = 0; way < ways.size(); ++way) {
    SessionUnderTest server(Role::kServer);
    server.Feed(std::string(h2::kPreface) + h2::Settings() + h2::SettingsAck());
    int survived = 0;
    for (StreamId id = 1; !server.session.failed() && survived < 5000; id += 2, ++survived) {
      server.Feed(ways[way](id));
      for (auto& [key, stream] : server.streams) server.session.Release(*stream);
      server.streams.clear();
      h2::TakeOutput(server.session);
    }
    EXPECT_LE(survived, static_cast<int>(limits::kResetBurst) + 1) << way;
    EXPECT_EQ(server.session.failure(), ErrorCode::kEnhanceYourCalm) << way;
    EXPECT_FALSE(server.session.failure_detail().empty()) << way;
  }
}

TEST_F(FloodTest, Continuations) {
  server_.Feed(h2::Headers(1, h2::Request(), 0));
  EXPECT_EQ(Flood([](int) { return h2::Frame(h2::kContinuation, 0, 1); }, 100),
            static_cast<int>(limits::kMaxContinuations));
  ExpectCalm("too many CONTINUATION frames", Limit::kContinuations);
}

TEST_F(FloodTest, AnswersThatAreNeverRead) {
  const int survived = Flood(
      [this](int) {
        server_.now += absl::Seconds(1);
        std::string pings;
        for (int i = 0; i < 40; ++i) pings += h2::Ping();
        return pings;
      },
      1000, /*read=*/false);
  EXPECT_LE(survived, 1000 / 40 + 2);
  ExpectCalm("the peer does not read its answers", Limit::kUnreadAnswers);
}

TEST_F(FloodTest, AnswersThatAreReadLatePass) {
  // Never quite empty, never full: a busy connection.
  OutputBuffer& output = server_.session.output();
  for (int i = 0; i < 5000; ++i) {
    server_.now += absl::Milliseconds(50);
    server_.Feed(h2::Ping());
    if (output.size() > 1000) output.Consume(output.size() - 500);
    ASSERT_FALSE(server_.session.failed()) << i;
  }
}

TEST_F(FloodTest, RefusalsThatAreNeverRead) {
  const std::string message(4000, 'm');
  const std::vector<HeaderField> refusal = {{":status", "200"}, {"grpc-message", message}};
  int id = 1;
  while (!server_.session.failed() && id < 100000) {
    server_.Feed(h2::Headers(id, h2::Request(), 5));
    if (server_.session.failed()) break;
    server_.session.SendHeaders(server_.stream(id), refusal, true);
    server_.session.Release(server_.stream(id));
    id += 2;
  }
  ExpectCalm("the peer does not read its answers", Limit::kUnreadAnswers);
  EXPECT_LT(server_.session.output().size(), limits::kOutputBytesMax + 10000);
}

TEST(UpstreamFlood, Interim) {
  SessionUnderTest client(Role::kClient);
  const std::vector<HeaderField> call = {{":method", "GET"}, {":scheme", "http"}, {":path", "/"}};
  client.session.OpenStream(call, true, nullptr);
  client.Feed(h2::Settings());
  int survived = 0;
  for (; !client.session.failed() && survived < 1000; ++survived) {
    client.Feed(h2::Headers(1, {{":status", "103"}}));
  }
  EXPECT_EQ(survived, 101);
  EXPECT_EQ(client.session.failure_detail(), "too many 1xx responses");
}

TEST(UpstreamFlood, AServerMayResetAllOfOurCalls) {
  SessionUnderTest client(Role::kClient);
  client.Feed(h2::Settings());
  const std::vector<HeaderField> call = {{":method", "GET"}, {":scheme", "http"}, {":path", "/"}};
  for (int i = 0; i < 5000; ++i) {
    Stream* stream = client.session.OpenStream(call, true, nullptr);
    ASSERT_NE(stream, nullptr);
    client.Feed(h2::RstStream(stream->id(), 7));
    client.session.Release(*stream);
  }
  EXPECT_FALSE(client.session.failed());
}

TEST(UpstreamFlood, WhatWeResetWaitsForASlowServer) {
  SessionUnderTest client(Role::kClient);
  client.Feed(h2::Settings());
  const std::vector<HeaderField> call = {{":method", "GET"}, {":scheme", "http"}, {":path", "/"}};
  for (size_t i = 0; i < 2 * limits::kControlFramesQueuedMax; ++i) {
    Stream* stream = client.session.OpenStream(call, true, nullptr);
    ASSERT_NE(stream, nullptr);
    client.session.Release(*stream, ErrorCode::kCancel);
  }
  EXPECT_TRUE(client.session.Receive(h2::AsBytes(h2::Ping()), client.now) > 0);
  EXPECT_FALSE(client.session.failed()) << client.session.failure_detail();
}

// They are of many callers, and none of them is to pay for the others.
TEST(UpstreamFlood, CallsThatAServerHasNotReadEndNothing) {
  SessionUnderTest client(Role::kClient);
  client.Feed(h2::Settings());
  const std::string token(5000, 't');
  const std::vector<HeaderField> call = {
      {":method", "GET"}, {":scheme", "http"}, {":path", "/"}, {"authorization", token}};
  while (client.session.output().size() <= limits::kOutputBytesMax) {
    ASSERT_NE(client.session.OpenStream(call, true, nullptr), nullptr);
  }
  client.Feed(h2::Ping());
  EXPECT_FALSE(client.session.failed()) << client.session.failure_detail();
}

TEST(Hpack, ABombOfReferencesFillsNoMemory) {
  SessionUnderTest server(Role::kServer);
  server.Feed(std::string(h2::kPreface) + h2::Settings());
  const std::string entry = h2::HpackIndexedLiteral("bomb", std::string(4000, 'x'));
  server.Feed(h2::Frame(h2::kHeaders, 5, 1, h2::HpackBlock(h2::Request()) + entry));
  const std::string bomb = h2::Frame(h2::kHeaders, 5, 3, std::string(200, '\xbe'));
  const std::string ping = h2::Ping();
  // 800 kB decoded: the batch ends with it, and the next frame waits.
  EXPECT_EQ(server.session.Receive(h2::AsBytes(bomb + ping), server.now), bomb.size());
  EXPECT_TRUE(server.session.events().empty());
  server.session.ReleaseEvents();
  server.Feed(ping + h2::Headers(5, h2::Request(), 5));
  EXPECT_EQ(server.streams.count(5), 1u);
}

}  // namespace
}  // namespace pinion::http2
