#include "gateway/http2/stream_table.h"

#include <gtest/gtest.h>

#include <map>
#include <memory>

#include "tests/testing/random.h"

namespace pinion::http2 {
namespace {

TEST(StreamTable, AgreesWithAMapUnderRandomUse) {
  pinion::testing::Random random(1);
  StreamTable table;
  std::map<StreamId, std::unique_ptr<StreamState>> expected;
  for (int step = 0; step < 20000; ++step) {
    const StreamId id = static_cast<StreamId>(random.Below(400) * 2 + 1);
    auto found = expected.find(id);
    EXPECT_EQ(table.Find(id), found == expected.end() ? nullptr : found->second.get());
    if (found != expected.end()) {
      table.Erase(id);
      expected.erase(found);
    } else if (expected.size() < 150) {
      auto stream = std::make_unique<StreamState>();
      stream->id_ = id;
      table.Insert(stream.get());
      expected[id] = std::move(stream);
    }
    ASSERT_EQ(table.size(), expected.size());
  }
  size_t visited = 0;
  table.ForEach([&](StreamState& stream) {
    ++visited;
    EXPECT_EQ(expected.at(stream.id_).get(), &stream);
  });
  EXPECT_EQ(visited, expected.size());
  table.Clear();
  EXPECT_EQ(table.size(), 0u);
  EXPECT_EQ(table.Find(1), nullptr);
}

TEST(ClosedStreams, RemembersHowAStreamEnded) {
  ClosedStreams closed;
  closed.Add(1, ClosedStreams::How::kClean);
  closed.Add(3, ClosedStreams::How::kResetByPeer);
  closed.Add(5, ClosedStreams::How::kResetByUs);
  EXPECT_EQ(closed.Find(1), ClosedStreams::How::kClean);
  EXPECT_EQ(closed.Find(3), ClosedStreams::How::kResetByPeer);
  EXPECT_EQ(closed.Find(5), ClosedStreams::How::kResetByUs);
  EXPECT_EQ(closed.Find(7), ClosedStreams::How::kForgotten);
}

TEST(ClosedStreams, ForgetsTheOldest) {
  ClosedStreams closed;
  const auto count = static_cast<StreamId>(limits::kResetsRemembered);
  for (StreamId i = 0; i <= count; ++i) closed.Add(2 * i + 1, ClosedStreams::How::kResetByUs);
  EXPECT_EQ(closed.Find(1), ClosedStreams::How::kForgotten);
  EXPECT_EQ(closed.Find(3), ClosedStreams::How::kResetByUs);
  EXPECT_EQ(closed.Find(2 * count + 1), ClosedStreams::How::kResetByUs);
  for (StreamId i = 0; i < 1000; ++i) closed.Add(2 * i + 1001, ClosedStreams::How::kClean);
  EXPECT_EQ(closed.Find(3), ClosedStreams::How::kResetByUs) << "calls that end well do not count";
}

}  // namespace
}  // namespace pinion::http2
