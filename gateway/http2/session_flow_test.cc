// Flow control: windows both ways, streams that wait their turn, output that does not drain.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gateway/http2/session.h"
#include "tests/testing/h2_session.h"

namespace pinion::http2 {
namespace {

namespace h2 = pinion::testing::h2;
using h2::AsBytes;
using h2::SessionUnderTest;
using ::testing::ElementsAre;

const std::vector<HeaderField> kRequest = {
    {":method", "POST"}, {":scheme", "http"}, {":path", "/a"}};

// A server with open streams whose peer, the test, grants windows by hand.
class SendFlowTest : public ::testing::Test {
 protected:
  void Start(uint32_t initial_window, int streams, const Options& options = {}) {
    server_ = std::make_unique<SessionUnderTest>(Role::kServer, options);
    server_->Feed(std::string(h2::kPreface) + h2::Settings({{4, initial_window}}));
    for (int i = 0; i < streams; ++i) {
      server_->Feed(h2::Headers(static_cast<uint32_t>(2 * i + 1), h2::Request()));
    }
    server_->Frames();
  }

  size_t Send(StreamId id, size_t size, bool end_stream = false) {
    const std::string bytes(size, 'x');
    return server_->session.SendData(server_->stream(id), AsBytes(bytes), end_stream);
  }

  // "id:bytes" of each DATA frame that waits, '.' where END_STREAM is.
  std::vector<std::string> DataFrames() {
    std::vector<std::string> frames;
    for (const h2::WireFrame& frame : server_->Frames()) {
      if (frame.type != h2::kData) continue;
      frames.push_back(absl::StrCat(frame.stream_id, ":", frame.payload.size(),
                                    (frame.flags & h2::kEndStream) != 0 ? "." : ""));
    }
    return frames;
  }

  StreamId NextWritable() {
    Stream* stream = server_->session.NextWritable();
    return stream == nullptr ? 0 : stream->id();
  }

  std::unique_ptr<SessionUnderTest> server_;
};

TEST_F(SendFlowTest, StopsAtTheStreamsWindow) {
  Start(10, 1);
  EXPECT_EQ(Send(1, 25, true), 10u);
  EXPECT_THAT(DataFrames(), ElementsAre("1:10"));
  EXPECT_EQ(NextWritable(), 0u);
  server_->Feed(h2::WindowUpdate(1, 7));
  EXPECT_EQ(NextWritable(), 1u);
  EXPECT_EQ(NextWritable(), 0u) << "once a turn";
  EXPECT_EQ(Send(1, 15, true), 7u);
  server_->Feed(h2::WindowUpdate(1, 100));
  EXPECT_EQ(NextWritable(), 1u);
  EXPECT_EQ(Send(1, 8, true), 8u);
  EXPECT_THAT(DataFrames(), ElementsAre("1:7", "1:8."));
  EXPECT_TRUE(server_->stream(1).local_closed());
  server_->Feed(h2::WindowUpdate(1, 100));
  EXPECT_EQ(NextWritable(), 0u) << "it has nothing more to say";
}

TEST_F(SendFlowTest, EndOfStreamNeedsNoWindow) {
  Start(0, 1);
  EXPECT_EQ(Send(1, 5, false), 0u);
  server_->Feed(h2::WindowUpdate(1, 5));
  EXPECT_EQ(Send(1, 5, false), 0u) << "it waits in the queue for its turn";
  EXPECT_EQ(NextWritable(), 1u);
  EXPECT_EQ(Send(1, 5, false), 5u);
  EXPECT_EQ(Send(1, 0, true), 0u);
  EXPECT_THAT(DataFrames(), ElementsAre("1:5", "1:0."));
}

TEST_F(SendFlowTest, ShrunkWindowsBecomeNegative) {
  Start(100, 2);
  EXPECT_EQ(Send(1, 80), 80u);
  EXPECT_EQ(Send(3, 200), 100u);
  server_->Feed(h2::Settings({{4, 50}}));
  EXPECT_EQ(Send(1, 10), 0u) << "-30";
  server_->Feed(h2::WindowUpdate(1, 30));
  EXPECT_EQ(NextWritable(), 0u) << "0";
  server_->Feed(h2::WindowUpdate(1, 1));
  EXPECT_EQ(NextWritable(), 1u);
  EXPECT_EQ(Send(1, 10), 1u);
  server_->Feed(h2::Settings({{4, 101}}));
  EXPECT_EQ(NextWritable(), 1u);
  EXPECT_EQ(Send(1, 100), 51u);
  EXPECT_EQ(NextWritable(), 3u);
  EXPECT_EQ(Send(3, 100), 1u);
}

TEST_F(SendFlowTest, AWindowThatClosesTakesItsStreamOutOfTheQueue) {
  Start(100, 1);
  EXPECT_EQ(Send(1, 200), 100u);
  server_->Feed(h2::WindowUpdate(1, 50) + h2::Settings({{4, 10}}));
  EXPECT_EQ(NextWritable(), 0u);
  server_->Feed(h2::Settings({{4, 100}}));
  EXPECT_EQ(NextWritable(), 1u);
}

TEST_F(SendFlowTest, FramesFollowThePeersSize) {
  Start(65535, 1);
  EXPECT_EQ(Send(1, 40000, true), 40000u);
  EXPECT_THAT(DataFrames(), ElementsAre("1:16384", "1:16384", "1:7232."));
}

TEST_F(SendFlowTest, TheConnectionsWindowIsSharedInTurn) {
  Start(1 << 20, 4);
  EXPECT_EQ(Send(1, 100000), 65535u);
  for (StreamId id : {3, 5, 7}) EXPECT_EQ(Send(id, 1000), 0u);
  EXPECT_EQ(NextWritable(), 0u);
  DataFrames();
  std::vector<StreamId> turns;
  for (int round = 0; round < 8; ++round) {
    server_->Feed(h2::WindowUpdate(0, 10));
    const StreamId id = NextWritable();
    turns.push_back(id);
    EXPECT_EQ(Send(id, 1000), 10u);
    EXPECT_EQ(NextWritable(), 0u);
  }
  EXPECT_THAT(turns, ElementsAre(1, 3, 5, 7, 1, 3, 5, 7));
}

TEST_F(SendFlowTest, NobodyOvertakesThoseWhoWait) {
  Start(1 << 20, 2);
  EXPECT_EQ(Send(1, 100000), 65535u);
  server_->Feed(h2::WindowUpdate(0, 10));
  EXPECT_EQ(Send(3, 10), 0u);
  EXPECT_EQ(NextWritable(), 1u);
  EXPECT_EQ(Send(1, 4), 4u);
  EXPECT_EQ(Send(3, 10), 0u) << "not its turn yet";
  EXPECT_EQ(NextWritable(), 3u);
  EXPECT_EQ(Send(3, 10), 6u);
}

TEST_F(SendFlowTest, AStreamWithoutWindowDoesNotStandInFrontOfOthers) {
  Start(10, 3);
  EXPECT_EQ(Send(1, 100), 10u);
  EXPECT_EQ(Send(3, 8), 8u);
  EXPECT_EQ(Send(5, 100), 10u);
  server_->Feed(h2::WindowUpdate(5, 3));
  EXPECT_EQ(NextWritable(), 5u);
  EXPECT_EQ(Send(5, 100), 3u);
  EXPECT_EQ(Send(3, 2), 2u);
}

TEST_F(SendFlowTest, OutputThatDoesNotDrainHoldsDataBack) {
  Options options;
  options.output_high_watermark_bytes = 1000;
  Start(1 << 20, 2, options);
  EXPECT_EQ(Send(1, 5000), 1000u);
  EXPECT_EQ(Send(3, 100), 0u);
  EXPECT_EQ(NextWritable(), 0u);
  OutputBuffer& output = server_->session.output();
  output.Consume(400);
  EXPECT_EQ(NextWritable(), 0u) << "no crumbs";
  output.Consume(output.size() - 500);
  EXPECT_EQ(NextWritable(), 1u);
  EXPECT_EQ(Send(1, 4000), 500u);
  output.Consume(output.size());
  EXPECT_EQ(NextWritable(), 3u);
  EXPECT_EQ(Send(3, 100), 100u);
  EXPECT_EQ(NextWritable(), 1u);
}

TEST_F(SendFlowTest, AGreedyStreamYields) {
  Options options;
  options.output_high_watermark_bytes = 1 << 20;
  Start(1 << 20, 2, options);
  server_->Feed(h2::WindowUpdate(0, 1 << 24));
  EXPECT_EQ(Send(1, 2 << 20), 1u << 20);
  EXPECT_EQ(Send(3, 1 << 20), 0u);
  server_->Feed(h2::WindowUpdate(1, 1 << 20));
  h2::TakeOutput(server_->session);
  EXPECT_EQ(NextWritable(), 3u);
  EXPECT_EQ(Send(3, 1 << 20), limits::kSendTurnBytes);
  EXPECT_EQ(NextWritable(), 1u);
  EXPECT_EQ(Send(1, 1 << 20), limits::kSendTurnBytes);
  EXPECT_EQ(NextWritable(), 3u);
}

TEST_F(SendFlowTest, AResetStreamLeavesTheQueue) {
  Start(1 << 20, 3);
  EXPECT_EQ(Send(1, 100000), 65535u);
  EXPECT_EQ(Send(3, 10), 0u);
  EXPECT_EQ(Send(5, 10), 0u);
  server_->session.Release(server_->stream(1), ErrorCode::kCancel);
  server_->Feed(h2::RstStream(3, 8) + h2::WindowUpdate(0, 100));
  EXPECT_EQ(NextWritable(), 5u);
  EXPECT_EQ(NextWritable(), 0u);
}

// What a session grants its peer.
TEST(ReceiveFlow, TheConnectionsWindowComesBackUnasked) {
  Options options;
  options.connection_window_bytes = 100000;
  SessionUnderTest server(Role::kServer, options);
  server.Feed(std::string(h2::kPreface) + h2::Settings() + h2::Headers(1, h2::Request()) +
              h2::Headers(3, h2::Request()));
  std::vector<h2::WireFrame> frames = server.Frames();
  ASSERT_EQ(frames[1].type, h2::kWindowUpdate);
  EXPECT_EQ(frames[1].u32(), 100000u - 65535u);
  const std::string bytes(10000, 'x');
  for (int i = 0; i < 4; ++i) server.Feed(h2::Data(1, bytes));
  EXPECT_TRUE(server.Frames().empty());
  server.Feed(h2::Data(1, bytes));
  frames = server.Frames();
  ASSERT_EQ(frames.size(), 1u);
  EXPECT_EQ(frames[0].stream_id, 0u);
  EXPECT_EQ(frames[0].u32(), 50000u);
  // Nobody consumes stream 1, and stream 3 does not mind.
  for (int i = 0; i < 6; ++i) server.Feed(h2::Data(3, bytes));
  EXPECT_FALSE(server.session.failed());
}

TEST(ReceiveFlow, AStreamsWindowComesBackWithConsume) {
  SessionUnderTest server(Role::kServer);
  server.Feed(std::string(h2::kPreface) + h2::Settings() + h2::SettingsAck() +
              h2::Headers(1, h2::Request()));
  server.Frames();
  const std::string bytes(16384, 'x');
  for (int i = 0; i < 4; ++i) server.Feed(h2::Data(1, bytes));
  EXPECT_TRUE(server.Frames().empty());
  server.session.Consume(server.stream(1), 32767);
  EXPECT_TRUE(server.Frames().empty());
  server.session.Consume(server.stream(1), 1);
  std::vector<h2::WireFrame> frames = server.Frames();
  ASSERT_EQ(frames.size(), 1u);
  EXPECT_EQ(frames[0].stream_id, 1u);
  EXPECT_EQ(frames[0].u32(), 32768u);
  server.Feed(h2::Data(1, bytes) + h2::Data(1, bytes));
  EXPECT_EQ(server.session.active_streams(), 1u);
  server.Feed(h2::Data(1, "x"));
  EXPECT_EQ(server.events.back(), "reset 1 FLOW_CONTROL_ERROR by us");
}

TEST(ReceiveFlow, PaddingIsConsumedByTheEngine) {
  Options options;
  options.stream_window_bytes = 65535;
  SessionUnderTest server(Role::kServer, options);
  server.Feed(std::string(h2::kPreface) + h2::Settings() + h2::Headers(1, h2::Request()));
  server.Frames();
  std::string padded = "\xff";
  padded += std::string(256 + 255 - 256, 'p');
  size_t returned = 0;
  for (int i = 0; i < 1000; ++i) {
    server.Feed(h2::Frame(h2::kData, h2::kPadded, 1, padded.substr(0, 1) + "x" + padded.substr(1)));
    server.session.Consume(server.stream(1), 1);
    for (const h2::WireFrame& frame : server.Frames()) {
      if (frame.stream_id == 1) returned += frame.u32();
    }
  }
  EXPECT_FALSE(server.session.failed());
  EXPECT_GT(returned, 1000u * 257 - 65535);
}

TEST(ReceiveFlow, TheDefaultWindowHoldsUntilTheAcknowledgement) {
  Options options;
  options.stream_window_bytes = 100;
  SessionUnderTest server(Role::kServer, options);
  server.Feed(std::string(h2::kPreface) + h2::Settings() + h2::Headers(1, h2::Request()) +
              h2::Data(1, std::string(1000, 'x')));
  EXPECT_EQ(server.session.active_streams(), 1u) << "the peer could not know";
  server.Feed(h2::SettingsAck() + h2::Data(1, "x"));
  EXPECT_EQ(server.events.back(), "reset 1 FLOW_CONTROL_ERROR by us");
  server.Feed(h2::Headers(3, h2::Request()) + h2::Data(3, std::string(101, 'x')));
  EXPECT_EQ(server.events.back(), "reset 3 FLOW_CONTROL_ERROR by us");
}

TEST(ReceiveFlow, TheConnectionsWindowIsKept) {
  // Returned as data arrives, it can only be broken by a frame that is larger than what is left.
  Options options;
  options.connection_window_bytes = 1000;  // never below the default
  options.max_frame_bytes = 1 << 20;
  SessionUnderTest server(Role::kServer, options);
  server.Feed(std::string(h2::kPreface) + h2::Settings() + h2::Headers(1, h2::Request()));
  server.Feed(h2::Data(1, std::string(65536, 'x')));
  EXPECT_EQ(server.session.failure(), ErrorCode::kFlowControlError);
}

TEST(ReceiveFlow, DataOfResetStreamsStillCountsForTheConnection) {
  SessionUnderTest server(Role::kServer);
  server.Feed(std::string(h2::kPreface) + h2::Settings() + h2::Headers(1, h2::Request()));
  server.session.Release(server.stream(1), ErrorCode::kCancel);
  server.Frames();
  size_t returned = 0;
  for (int i = 0; i < 200; ++i) {
    server.Feed(h2::Data(1, std::string(16384, 'x')));
    for (const h2::WireFrame& frame : server.Frames()) returned += frame.u32();
  }
  EXPECT_FALSE(server.session.failed());
  EXPECT_GT(returned, 200u * 16384 - limits::kConnectionWindowBytes);
}

}  // namespace
}  // namespace pinion::http2
