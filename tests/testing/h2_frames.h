// HTTP/2 frames as a peer could write them, faults included, and back: for tests that speak to a
// session or a socket byte by byte. Written apart from gateway/http2 on purpose, so that a mistake
// there is not repeated here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"

namespace pinion::testing::h2 {

inline constexpr uint8_t kData = 0, kHeaders = 1, kPriority = 2, kRstStream = 3, kSettings = 4,
                         kPushPromise = 5, kPing = 6, kGoAway = 7, kWindowUpdate = 8,
                         kContinuation = 9;
inline constexpr uint8_t kAck = 1, kEndStream = 1, kEndHeaders = 4, kPadded = 8, kPriorityFlag = 32;

inline constexpr absl::string_view kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

inline std::string U32(uint32_t value) {
  return {static_cast<char>(value >> 24), static_cast<char>(value >> 16),
          static_cast<char>(value >> 8), static_cast<char>(value)};
}

inline std::string Frame(uint8_t type, uint8_t flags, uint32_t stream_id,
                         absl::string_view payload = {}) {
  std::string frame = U32(static_cast<uint32_t>(payload.size()) << 8 | type);
  frame += static_cast<char>(flags);
  frame += U32(stream_id);
  return frame.append(payload.data(), payload.size());
}

// HPACK: a literal without indexing, no Huffman coding.
inline std::string HpackString(absl::string_view text) {
  std::string out;
  if (text.size() < 127) {
    out += static_cast<char>(text.size());
  } else {
    size_t rest = text.size() - 127;
    out += static_cast<char>(127);
    for (; rest >= 128; rest /= 128) out += static_cast<char>(rest % 128 | 128);
    out += static_cast<char>(rest);
  }
  return out.append(text.data(), text.size());
}

using Fields = std::vector<std::pair<std::string, std::string>>;

inline std::string HpackLiteral(absl::string_view name, absl::string_view value) {
  return std::string(1, '\0') + HpackString(name) + HpackString(value);
}

// The same, and added to the dynamic table.
inline std::string HpackIndexedLiteral(absl::string_view name, absl::string_view value) {
  return std::string(1, '\x40') + HpackString(name) + HpackString(value);
}

inline std::string HpackBlock(const Fields& fields) {
  std::string block;
  for (const auto& [name, value] : fields) block += HpackLiteral(name, value);
  return block;
}

// As HEADERS, and CONTINUATION for what is beyond the largest frame that every peer takes.
inline std::string HeaderFrames(uint32_t stream_id, absl::string_view block, uint8_t flags) {
  constexpr size_t kMax = 16384;
  if (block.size() <= kMax) return Frame(kHeaders, flags, stream_id, block);
  const uint8_t end = flags & kEndHeaders;
  std::string frames =
      Frame(kHeaders, static_cast<uint8_t>(flags - end), stream_id, block.substr(0, kMax));
  for (size_t at = kMax; at < block.size(); at += kMax) {
    frames +=
        Frame(kContinuation, at + kMax < block.size() ? 0 : end, stream_id, block.substr(at, kMax));
  }
  return frames;
}

inline std::string Headers(uint32_t stream_id, const Fields& fields, uint8_t flags = kEndHeaders) {
  return HeaderFrames(stream_id, HpackBlock(fields), flags);
}

inline Fields Request(const Fields& more = {}) {
  Fields fields = {
      {":method", "POST"}, {":scheme", "http"}, {":path", "/a.B/C"}, {":authority", "test"}};
  fields.insert(fields.end(), more.begin(), more.end());
  return fields;
}

inline std::string Data(uint32_t stream_id, absl::string_view bytes, uint8_t flags = 0) {
  return Frame(kData, flags, stream_id, bytes);
}

inline std::string RstStream(uint32_t stream_id, uint32_t code) {
  return Frame(kRstStream, 0, stream_id, U32(code));
}

inline std::string WindowUpdate(uint32_t stream_id, uint32_t increment) {
  return Frame(kWindowUpdate, 0, stream_id, U32(increment));
}

inline std::string Settings(std::initializer_list<std::pair<uint16_t, uint32_t>> entries = {}) {
  std::string payload;
  for (const auto& [id, value] : entries) {
    payload += static_cast<char>(id >> 8);
    payload += static_cast<char>(id);
    payload += U32(value);
  }
  return Frame(kSettings, 0, 0, payload);
}

inline std::string SettingsAck() { return Frame(kSettings, kAck, 0); }

inline std::string Ping(absl::string_view eight_bytes = "pinion!!", uint8_t flags = 0) {
  return Frame(kPing, flags, 0, eight_bytes);
}

inline std::string GoAway(uint32_t last_stream_id, uint32_t code, absl::string_view debug = {}) {
  return Frame(kGoAway, 0, 0, U32(last_stream_id) + U32(code) + std::string(debug));
}

// A frame as it was found on the wire.
struct WireFrame {
  uint8_t type = 0;
  uint8_t flags = 0;
  uint32_t stream_id = 0;
  std::string payload;

  // The big-endian number at `offset` of the payload: an error code, an increment.
  uint32_t u32(size_t offset = 0) const {
    uint32_t value = 0;
    for (size_t i = 0; i < 4; ++i)
      value = value << 8 | static_cast<uint8_t>(payload.at(offset + i));
    return value;
  }
};

// Takes the whole frames off the front of `bytes`.
inline std::vector<WireFrame> TakeFrames(std::string& bytes) {
  std::vector<WireFrame> frames;
  size_t used = 0;
  auto byte = [&bytes](size_t at) {
    return static_cast<uint32_t>(static_cast<uint8_t>(bytes[at]));
  };
  while (bytes.size() - used >= 9) {
    const size_t length = byte(used) << 16 | byte(used + 1) << 8 | byte(used + 2);
    if (bytes.size() - used - 9 < length) break;
    WireFrame frame;
    frame.type = static_cast<uint8_t>(bytes[used + 3]);
    frame.flags = static_cast<uint8_t>(bytes[used + 4]);
    frame.stream_id =
        (byte(used + 5) << 24 | byte(used + 6) << 16 | byte(used + 7) << 8 | byte(used + 8)) &
        0x7fffffff;
    frame.payload = bytes.substr(used + 9, length);
    frames.push_back(std::move(frame));
    used += 9 + length;
  }
  bytes.erase(0, used);
  return frames;
}

}  // namespace pinion::testing::h2
