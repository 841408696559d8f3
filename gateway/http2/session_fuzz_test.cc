// Hostile peers from a seed: plausible frames with random faults in them, at random splits, while
// the user answers, resets and releases at random. Nothing may crash, no stream may be surfaced
// twice or after its end, and memory stays within its bounds.
#include <gtest/gtest.h>

#include <array>
#include <map>
#include <string>
#include <vector>

#include "gateway/http2/session.h"
#include "tests/testing/h2_session.h"
#include "tests/testing/random.h"

namespace pinion::http2 {
namespace {

namespace h2 = pinion::testing::h2;
using pinion::testing::Random;

const std::vector<HeaderField> kCall = {{":method", "POST"}, {":scheme", "http"}, {":path", "/a"}};
const std::vector<HeaderField> kResponse = {{":status", "200"}, {"a", "b"}};
const std::vector<HeaderField> kTrailers = {{"grpc-status", "0"}};

// Keeps to the rules nearly always, so that it gets far enough for its faults to matter.
class HostilePeer {
 public:
  HostilePeer(Role victim, Random& random) : victim_(victim), random_(random) {}

  // The victim, a client, has opened a stream.
  void OnOpened(StreamId id) { live_.push_back(id); }

  std::string NextFrame() {
    std::string frame = PlausibleFrame();
    if (random_.OneIn(500)) {
      frame[random_.Below(frame.size())] ^= static_cast<char>(random_.Next());
    }
    if (random_.OneIn(2000)) frame.resize(random_.Below(frame.size()));
    return frame;
  }

 private:
  std::string PlausibleFrame() {
    if (live_.empty() || (victim_ == Role::kServer && random_.OneIn(4))) return Open();
    const size_t index = random_.Below(live_.size());
    const StreamId id = live_[index];
    const uint8_t end = random_.OneIn(8) ? h2::kEndStream : 0;
    const bool reset = !end && random_.OneIn(12);
    if ((end || reset) && !random_.OneIn(50)) live_.erase(live_.begin() + index);
    if (reset) return h2::RstStream(id, static_cast<uint32_t>(random_.Below(20)));
    if (end && random_.OneIn(2)) return HeaderFrames(id, end, h2::HpackBlock({{"sum", "1"}}));
    if (end || random_.OneIn(2)) return DataFrame(id, end);
    if (victim_ == Role::kClient && random_.OneIn(2)) {
      return HeaderFrames(id, 0, h2::HpackBlock({{":status", random_.OneIn(9) ? "103" : "200"}}));
    }
    return ControlFrame(id);
  }

  std::string Open() {
    if (victim_ == Role::kClient) return h2::Ping("12345678", h2::kAck);
    live_.push_back(next_id_);
    next_id_ += 2;
    return HeaderFrames(live_.back(), 0, h2::HpackBlock(h2::Request()));
  }

  std::string DataFrame(StreamId id, uint8_t end) {
    const std::string bytes(random_.Size(3000), 'x');
    if (!random_.OneIn(4)) return h2::Data(id, bytes, end);
    return h2::Frame(h2::kData, h2::kPadded | end, id, "\x03" + bytes + "ppp");
  }

  std::string ControlFrame(StreamId id) {
    switch (random_.Below(random_.OneIn(20) ? 6 : 3)) {
      case 0:
      case 1:
        return h2::WindowUpdate(id, static_cast<uint32_t>(random_.Size(100000)));
      case 2:
        return h2::WindowUpdate(0, static_cast<uint32_t>(random_.Size(100000)));
      case 3:
        return h2::Settings({{static_cast<uint16_t>(random_.PickFrom(kSettingIds)),
                              static_cast<uint32_t>(random_.Size(100000))}});
      case 4:
        return random_.OneIn(2) ? h2::Ping() : h2::SettingsAck();
      default:
        return random_.OneIn(20) ? h2::GoAway(id, 0, "bye") : h2::Frame(0x55, 0, id, "?");
    }
  }

  std::string HeaderFrames(StreamId id, uint8_t end, std::string block) {
    if (random_.OneIn(3)) {
      block += h2::HpackIndexedLiteral("key", std::string(random_.Below(90), 'v'));
      table_filled_ = true;
    }
    if (table_filled_ && random_.OneIn(3)) block += '\xbe';
    if (random_.OneIn(100)) block += h2::HpackLiteral("Bad", "name");
    if (!random_.OneIn(5)) return h2::Frame(h2::kHeaders, end | h2::kEndHeaders, id, block);
    const size_t cut = random_.Below(block.size());
    return h2::Frame(h2::kHeaders, end, id, block.substr(0, cut)) +
           h2::Frame(h2::kContinuation, h2::kEndHeaders, id, block.substr(cut));
  }

  static constexpr std::array<uint16_t, 3> kSettingIds = {1, 4, 6};

  const Role victim_;
  Random& random_;
  std::vector<StreamId> live_;
  StreamId next_id_ = 1;
  bool table_filled_ = false;
};

class Victim {
 public:
  Victim(Role role, Random& random) : role_(role), random_(random), session_(role, {}, pool_) {}

  Session& session() { return session_; }

  void Read(absl::string_view bytes) {
    now_ += absl::Milliseconds(static_cast<int64_t>(random_.Below(50)));
    while (!bytes.empty()) {
      absl::string_view head = bytes.substr(0, random_.Size(200));
      bytes.remove_prefix(head.size());
      while (!head.empty()) {
        head.remove_prefix(session_.Receive(h2::AsBytes(head), now_));
        for (const Event& event : session_.events()) Act(event);
        session_.ReleaseEvents();
      }
    }
    ASSERT_LT(session_.output().size(), limits::kOutputBytesMax + (1 << 20));
    ASSERT_LE(session_.active_streams(), limits::kMaxConcurrentStreams);
  }

  void ActAtRandom(HostilePeer& peer) {
    if (role_ == Role::kClient && random_.OneIn(2) && session_.CanOpenStream()) {
      Stream* stream = session_.OpenStream(kCall, random_.OneIn(2), this);
      streams_[stream] = false;
      peer.OnOpened(stream->id());
    }
    while (Stream* stream = session_.NextWritable()) {
      if (random_.OneIn(2)) Send(*stream);
    }
    for (auto it = streams_.begin(); it != streams_.end();) {
      Stream& stream = *(it++)->first;
      switch (random_.Below(12)) {
        case 0:
          session_.Reset(stream, ErrorCode::kCancel);
          break;
        case 1:
          streams_.erase(&stream);
          session_.Release(stream, ErrorCode::kCancel);
          break;
        case 2:
          session_.Consume(stream, random_.Below(1000));
          break;
        default:
          Send(stream);
      }
    }
    if (random_.OneIn(100)) session_.Ping(7);
    if (random_.OneIn(500)) session_.GoAwayNotice();
    if (random_.OneIn(1000)) session_.GoAwayFinal(ErrorCode::kNoError, "");
    if (random_.OneIn(3)) session_.output().Consume(random_.Below(session_.output().size() + 1));
  }

 private:
  void Send(Stream& stream) {
    bool& headers_sent = streams_.at(&stream);
    if (!headers_sent && role_ == Role::kServer) {
      session_.SendHeaders(stream, kResponse, false);
      headers_sent = true;
    } else if (random_.OneIn(10)) {
      session_.SendTrailers(stream, kTrailers);
    } else {
      session_.SendData(stream, h2::AsBytes(std::string(random_.Size(70000), 'x')),
                        random_.OneIn(9));
    }
  }

  void Act(const Event& event) {
    if (event.stream == nullptr || event.type == EventType::kNone) return;
    Stream& stream = *event.stream;
    if (event.type == EventType::kHeaders && role_ == Role::kServer) {
      ASSERT_TRUE(streams_.emplace(&stream, false).second) << "surfaced twice";
    }
    ASSERT_EQ(streams_.count(&stream), 1u) << "after its release";
    ASSERT_EQ(event.end_stream && !stream.remote_closed(), false);
    if (event.type == EventType::kReset) {
      ASSERT_TRUE(stream.closed());
    }
    if (event.type != EventType::kReset && !random_.OneIn(20)) return;
    streams_.erase(&stream);
    session_.Release(stream, ErrorCode::kCancel);
  }

  const Role role_;
  Random& random_;
  absl::Time now_ = absl::FromUnixSeconds(1000);
  SlabPool pool_;
  Session session_;
  std::map<Stream*, bool> streams_;  // not released; whether headers were sent
};

class SessionFuzz : public ::testing::TestWithParam<uint64_t> {};
INSTANTIATE_TEST_SUITE_P(Seeds, SessionFuzz, ::testing::Range<uint64_t>(1, 9));

TEST_P(SessionFuzz, SurvivesHostilePeers) {
  Random random(GetParam());
  int failures = 0;
  int steps = 0;
  for (int connection = 0; connection < 150; ++connection) {
    const Role role = random.OneIn(2) ? Role::kServer : Role::kClient;
    Victim victim(role, random);
    HostilePeer peer(role, random);
    victim.Read((role == Role::kServer ? std::string(h2::kPreface) : "") + h2::Settings());
    for (int step = 0; step < 300 && !victim.session().failed(); ++step, ++steps) {
      victim.Read(peer.NextFrame());
      if (HasFatalFailure()) return;
      victim.ActAtRandom(peer);
    }
    failures += victim.session().failed();
  }
  EXPECT_GT(failures, 10) << "the peers are not hostile enough";
  EXPECT_GT(steps, 150 * 50) << "and too hostile to get anywhere";
}

}  // namespace
}  // namespace pinion::http2
