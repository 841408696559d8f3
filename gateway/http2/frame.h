// Frames on the wire (RFC 9113 sections 4.1 and 6): the 9-byte header and the fixed payloads. Pure
// functions; any thread.
//
//     +---------------+------+-------+-+-----------+=========+
//     | length (24)   | type | flags |R| stream id | payload |
//     +---------------+------+-------+-+-----------+=========+
#pragma once

#include <cstddef>
#include <cstdint>

#include "gateway/http2/types.h"

namespace pinion::http2 {

enum class FrameType : uint8_t {
  kData = 0,
  kHeaders = 1,
  kPriority = 2,
  kRstStream = 3,
  kSettings = 4,
  kPushPromise = 5,
  kPing = 6,
  kGoAway = 7,
  kWindowUpdate = 8,
  kContinuation = 9,
};

namespace flags {
inline constexpr uint8_t kAck = 0x1;  // SETTINGS, PING
inline constexpr uint8_t kEndStream = 0x1;
inline constexpr uint8_t kEndHeaders = 0x4;
inline constexpr uint8_t kPadded = 0x8;
inline constexpr uint8_t kPriority = 0x20;
}  // namespace flags

inline constexpr size_t kFrameHeaderBytes = 9;
inline constexpr size_t kSettingBytes = 6;
inline constexpr uint32_t kDefaultWindowBytes = 65535;
inline constexpr uint32_t kMaxWindowBytes = 0x7fffffff;
inline constexpr uint32_t kDefaultMaxFrameBytes = 16384;
inline constexpr uint32_t kLargestMaxFrameBytes = (1u << 24) - 1;
inline constexpr StreamId kMaxStreamId = 0x7fffffff;
inline constexpr absl::string_view kClientPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

struct FrameHeader {
  uint32_t length = 0;
  FrameType type = FrameType::kData;  // other values occur: unknown types
  uint8_t flags = 0;
  StreamId stream_id = 0;  // without the reserved bit

  bool has(uint8_t flag) const { return (flags & flag) != 0; }
};

inline uint16_t ReadU16(const uint8_t* in) { return static_cast<uint16_t>(in[0] << 8 | in[1]); }

inline uint32_t ReadU32(const uint8_t* in) {
  return uint32_t{in[0]} << 24 | uint32_t{in[1]} << 16 | uint32_t{in[2]} << 8 | in[3];
}

inline uint64_t ReadU64(const uint8_t* in) { return uint64_t{ReadU32(in)} << 32 | ReadU32(in + 4); }

inline void WriteU16(uint8_t* out, uint16_t value) {
  out[0] = static_cast<uint8_t>(value >> 8);
  out[1] = static_cast<uint8_t>(value);
}

inline void WriteU32(uint8_t* out, uint32_t value) {
  out[0] = static_cast<uint8_t>(value >> 24);
  out[1] = static_cast<uint8_t>(value >> 16);
  out[2] = static_cast<uint8_t>(value >> 8);
  out[3] = static_cast<uint8_t>(value);
}

inline void WriteU64(uint8_t* out, uint64_t value) {
  WriteU32(out, static_cast<uint32_t>(value >> 32));
  WriteU32(out + 4, static_cast<uint32_t>(value));
}

// REQUIRES: kFrameHeaderBytes readable bytes.
FrameHeader ReadFrameHeader(const uint8_t* in);

// REQUIRES: kFrameHeaderBytes writable bytes.
void WriteFrameHeader(uint8_t* out, const FrameHeader& header);

}  // namespace pinion::http2
