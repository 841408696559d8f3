#include "tests/fuzz/http2.h"

#include "base/check.h"
#include "tests/fuzz/target.h"
#include "tests/testing/h2_session.h"
#include "tests/testing/h2_victim.h"
#include "tests/testing/random.h"

namespace pinion::fuzz {
namespace {

namespace h2 = testing::h2;

constexpr char kWire = 0;
constexpr char kFrames = 1;

std::string Wire(http2::Role victim, Input& input) {
  if (input.Byte() % 2 == kWire) return std::string(input.rest());
  std::string wire;
  if (victim == http2::Role::kServer) wire = std::string(h2::kPreface);
  wire += h2::Settings();
  while (!input.empty()) {
    const uint8_t type = input.Byte();
    const uint8_t flags = input.Byte();
    const uint8_t stream_id = input.Byte();
    wire += h2::Frame(type, flags, stream_id, input.Piece());
  }
  return wire;
}

// A client opens calls before it hears anything.
void OpenCalls(http2::Role victim, h2::SessionUnderTest& session) {
  if (victim == http2::Role::kServer) return;
  const std::vector<http2::HeaderField> fields = {
      {":method", "POST"}, {":scheme", "http"}, {":path", "/a"}};
  for (int i = 0; i < 4; ++i) session.session.OpenStream(fields, i % 2 == 0, nullptr);
}

// How the wire was cut may not show in what the user sees, nor in what is answered.
void CheckSplits(http2::Role victim, absl::string_view wire, size_t piece) {
  h2::SessionUnderTest whole(victim);
  h2::SessionUnderTest cut(victim);
  OpenCalls(victim, whole);
  OpenCalls(victim, cut);
  whole.Feed(wire);
  cut.Feed(wire, piece);
  CHECK(whole.session.failed() == cut.session.failed());
  CHECK(whole.events == cut.events);
  CHECK(whole.session.failure() == cut.session.failure());
  CHECK(whole.session.active_streams() == cut.session.active_streams());
}

void Attack(http2::Role victim, absl::string_view wire, uint64_t seed) {
  testing::Random random(seed);
  h2::Victim session(victim, random);
  for (int i = 0; i < 8; ++i) session.ActAtRandom();
  while (!wire.empty()) {
    const absl::string_view head = wire.substr(0, random.Size(400));
    wire.remove_prefix(head.size());
    session.Read(head);
    session.ActAtRandom();
  }
}

std::string Short(uint8_t type, uint8_t flags, uint8_t stream_id, absl::string_view payload) {
  const std::string head = {static_cast<char>(type), static_cast<char>(flags),
                            static_cast<char>(stream_id)};
  return head + Piece(payload);
}

}  // namespace

std::vector<std::string> Http2Seeds(http2::Role victim) {
  const bool server = victim == http2::Role::kServer;
  const h2::Fields first = server ? h2::Request({{"content-type", "application/grpc"}})
                                  : h2::Fields{{":status", "200"}, {"a", "b"}};
  const std::string block = h2::HpackBlock(first);
  const std::string trailers = h2::HpackBlock({{"grpc-status", "0"}});
  const std::string start = (server ? std::string(h2::kPreface) : "") + h2::Settings({{4, 1000}});
  const std::string wire[] = {
      start + h2::Headers(1, first) + h2::Data(1, "hello", h2::kEndStream) + h2::Ping(),
      start + h2::Headers(1, first) + h2::Headers(3, first) + h2::RstStream(1, 8) +
          h2::WindowUpdate(0, 1000) + h2::WindowUpdate(3, 1) + h2::GoAway(3, 0, "bye"),
      "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
      "HTTP/1.1 400 Bad Request\r\n\r\n",
  };
  const std::string frames[] = {
      Short(h2::kHeaders, h2::kEndHeaders, 1, block) + Short(h2::kData, 0, 1, "hello") +
          Short(h2::kHeaders, h2::kEndHeaders | h2::kEndStream, 1, trailers),
      Short(h2::kHeaders, 0, 1, block.substr(0, 9)) +
          Short(h2::kContinuation, 0, 1, block.substr(9, 5)) +
          Short(h2::kContinuation, h2::kEndHeaders, 1, block.substr(14)) +
          Short(h2::kData, h2::kPadded | h2::kEndStream, 1, "\x03hello..."),
      Short(h2::kHeaders, h2::kEndHeaders | h2::kPriorityFlag, 1, "\1\2\3\4\5" + block) +
          Short(h2::kPriority, 0, 1, "\1\2\3\4\5") + Short(h2::kRstStream, 0, 1, "\1\2\3\4") +
          Short(h2::kPing, 0, 0, "12345678") + Short(h2::kSettings, h2::kAck, 0, ""),
      Short(h2::kHeaders, h2::kEndHeaders, 1,
            block + h2::HpackIndexedLiteral("key", "value") + "\xbe") +
          Short(h2::kWindowUpdate, 0, 1, "\x7f\xff\xff\xff") +
          Short(h2::kWindowUpdate, 0, 1, "\x7f\xff\xff\xff") +
          Short(h2::kPushPromise, h2::kEndHeaders, 1, "abcd"),
  };
  std::vector<std::string> seeds;
  for (const std::string& bytes : wire) seeds.push_back(std::string{'\1', '\3', kWire} + bytes);
  for (const std::string& bytes : frames) seeds.push_back(std::string{'\2', '\7', kFrames} + bytes);
  return seeds;
}

void RunHttp2(http2::Role victim, absl::string_view input) {
  Input bytes(input);
  const uint8_t seed = bytes.Byte();
  const size_t piece = size_t{bytes.Byte()} + 1;
  const std::string wire = Wire(victim, bytes);
  CheckSplits(victim, wire, piece);
  Attack(victim, wire, seed);
}

}  // namespace pinion::fuzz
