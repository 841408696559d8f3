// Hostile peers from a seed: plausible frames with random faults in them. What has no seed, but is
// grown from coverage, is in tests/fuzz.
#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

#include "gateway/http2/session.h"
#include "tests/testing/h2_victim.h"
#include "tests/testing/random.h"

namespace pinion::http2 {
namespace {

namespace h2 = pinion::testing::h2;
using pinion::testing::Random;

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

class SessionFuzz : public ::testing::TestWithParam<uint64_t> {};
INSTANTIATE_TEST_SUITE_P(Seeds, SessionFuzz, ::testing::Range<uint64_t>(1, 9));

TEST_P(SessionFuzz, SurvivesHostilePeers) {
  Random random(GetParam());
  int failures = 0;
  int steps = 0;
  for (int connection = 0; connection < 150; ++connection) {
    const Role role = random.OneIn(2) ? Role::kServer : Role::kClient;
    h2::Victim victim(role, random);
    HostilePeer peer(role, random);
    victim.Read((role == Role::kServer ? std::string(h2::kPreface) : "") + h2::Settings());
    for (int step = 0; step < 300 && !victim.session().failed(); ++step, ++steps) {
      victim.Read(peer.NextFrame());
      if (const StreamId opened = victim.ActAtRandom()) peer.OnOpened(opened);
    }
    failures += victim.session().failed();
  }
  EXPECT_GT(failures, 10) << "the peers are not hostile enough";
  EXPECT_GT(steps, 150 * 50) << "and too hostile to get anywhere";
}

}  // namespace
}  // namespace pinion::http2
