// Receive windows that grow with the bandwidth-delay product, and the bounds of that.
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
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr uint32_t kFirst = 64 * 1024;
constexpr uint32_t kHalf = kFirst / 2;
constexpr absl::Duration kRoundTrip = absl::Milliseconds(10);

// A server that one upload, or several, fill as fast as it lets them. The test is the client.
class GrowthTest : public ::testing::Test {
 protected:
  GrowthTest() {
    options_.stream_window_bytes = kFirst;
    options_.stream_window_bytes_max = 8 * kFirst;
    options_.connection_window_bytes = 2 * kFirst;
    options_.connection_window_bytes_max = 6 * kFirst;
  }

  void Start(int streams = 1) {
    server_ = std::make_unique<Session>(Role::kServer, options_, pool_);
    std::string hello = std::string(h2::kPreface) + h2::Settings({});
    if (options_.stream_window_bytes == kFirst) hello += h2::SettingsAck();
    for (int i = 0; i < streams; ++i) {
      hello += h2::Headers(static_cast<uint32_t>(2 * i + 1), h2::Request());
    }
    Receive(hello, /*consume=*/false);
    server_->SetRoundTrip(kRoundTrip);
    Increments();
  }

  // `bytes` of DATA on the stream `id`, handed on as they arrive, or not.
  void Data(StreamId id, size_t bytes, bool consume = true) {
    std::string wire;
    for (size_t sent = 0; sent < bytes; sent += 16 * 1024) {
      wire += h2::Data(id, std::string(std::min<size_t>(bytes - sent, 16 * 1024), 'x'));
    }
    Receive(wire, consume);
  }

  void Receive(absl::string_view wire, bool consume) {
    while (!wire.empty()) {
      wire.remove_prefix(server_->Receive(AsBytes(wire), now_));
      for (const Event& event : server_->events()) {
        if (event.type == EventType::kHeaders) streams_.push_back(event.stream);
        if (event.type == EventType::kData && consume) {
          server_->Consume(*event.stream, event.data.size());
        }
      }
      server_->ReleaseEvents();
    }
    EXPECT_FALSE(server_->failed()) << server_->failure_detail();
  }

  // "id:increment" of each WINDOW_UPDATE that waits, in kilobytes; of streams only unless `all`.
  std::vector<std::string> Increments(bool all = false) {
    wire_ += h2::TakeOutput(*server_);
    std::vector<std::string> increments;
    for (const h2::WireFrame& frame : h2::TakeFrames(wire_)) {
      if (frame.type != h2::kWindowUpdate || (frame.stream_id == 0 && !all)) continue;
      increments.push_back(
          absl::StrCat(frame.stream_id, ":", ReadU32(AsBytes(frame.payload).data()) / 1024));
    }
    return increments;
  }

  // Half a window after half a window, each within a round trip of the last.
  std::vector<std::string> HalvesInARow(int count, StreamId id = 1) {
    std::vector<std::string> increments;
    for (int i = 0; i < count; ++i) {
      now_ += kRoundTrip / 10;
      Data(id, kHalf);
      for (std::string& increment : Increments()) increments.push_back(std::move(increment));
    }
    return increments;
  }

  Options options_;
  SlabPool pool_;
  std::unique_ptr<Session> server_;
  std::vector<Stream*> streams_;
  absl::Time now_ = absl::FromUnixSeconds(1000);
  std::string wire_;
};

TEST_F(GrowthTest, AWindowThatLimitsItsSenderDoubles) {
  Start();
  // 32 KiB came back twice within two round trips: the second time another 64 KiB come with it.
  EXPECT_THAT(HalvesInARow(2), ElementsAre("1:32", "1:96"));
  // Now half a window is 64 KiB.
  EXPECT_THAT(HalvesInARow(2), ElementsAre("1:192"));
}

TEST_F(GrowthTest, NotBeyondItsLargestSize) {
  Start();
  HalvesInARow(200);
  now_ += absl::Seconds(1);
  Data(1, 8 * kHalf);
  EXPECT_THAT(Increments(), ElementsAre("1:256")) << "half of 512 KiB, and nothing with it";
}

TEST_F(GrowthTest, ASlowSenderNeedsNoMore) {
  Start();
  for (int i = 0; i < 10; ++i) {
    now_ += 2 * kRoundTrip;
    Data(1, kHalf);
  }
  EXPECT_THAT(Increments(), Each("1:32"));
}

TEST_F(GrowthTest, AReaderThatLagsGetsNoMore) {
  Start();
  for (int i = 0; i < 10; ++i) {
    now_ += absl::Milliseconds(1);
    Data(1, kHalf, /*consume=*/false);
    EXPECT_THAT(Increments(), IsEmpty());
    server_->Consume(*streams_[0], kHalf);  // later: its sink had been blocked
    EXPECT_THAT(Increments(), ElementsAre("1:32"));
  }
}

// Until the client has acknowledged our smaller window it may use the default one.
TEST_F(GrowthTest, WhatGrewBeforeTheSettingsWereAcknowledgedStays) {
  options_.stream_window_bytes = 1024;
  Start();
  EXPECT_THAT(HalvesInARow(2), ElementsAre("1:32", "1:95"));
  Receive(h2::SettingsAck(), /*consume=*/false);
  // 63 KiB less, as the client counts too: half of the 65 KiB that are left came back.
  now_ += absl::Seconds(1);
  Data(1, 33 * 1024);
  EXPECT_THAT(Increments(), ElementsAre("1:33"));
}

TEST_F(GrowthTest, WithoutARoundTripTimeNothingGrows) {
  Start();
  server_->SetRoundTrip(absl::ZeroDuration());
  EXPECT_THAT(HalvesInARow(10), Each("1:32"));
}

TEST_F(GrowthTest, TheConnectionsWindowGrowsToItsOwnBound) {
  Start();
  std::vector<std::string> connection;
  for (int i = 0; i < 40; ++i) {
    Data(1, kHalf);
    for (std::string& increment : Increments(/*all=*/true)) {
      if (increment[0] == '0') connection.push_back(std::move(increment));
    }
  }
  ASSERT_GE(connection.size(), 4u);
  connection.resize(4);
  EXPECT_THAT(connection, ElementsAre("0:64", "0:192", "0:256", "0:192"))
      << "half of 128 KiB; then doubled to 256 KiB, then up to 384 KiB, then half of that";
}

TEST_F(GrowthTest, WhatTheWorkerMayHoldIsSharedAndComesBack) {
  Start(3);
  ASSERT_TRUE(pool_.window_budget().Take(pool_.window_budget().left() - 3 * kFirst));
  HalvesInARow(8, 1);  // to 256 KiB: all three
  EXPECT_EQ(pool_.window_budget().left(), 0u);
  EXPECT_THAT(HalvesInARow(8, 3), Each("3:32"));
  server_->Release(*streams_[0]);
  EXPECT_EQ(pool_.window_budget().left(), 3 * kFirst);
  EXPECT_THAT(HalvesInARow(2, 5), ElementsAre("5:32", "5:96"));
  server_.reset();
  EXPECT_EQ(pool_.window_budget().left(), 3 * kFirst);
}

}  // namespace
}  // namespace pinion::http2
