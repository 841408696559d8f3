// How HPACK looks on the wire (RFC 7541 sections 5 and 6): what its encoder writes and its decoder
// reads. Pure functions; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "absl/strings/string_view.h"
#include "gateway/http2/types.h"
#include "gateway/limits.h"

namespace pinion::http2::hpack {

// The first bits of each representation (section 6), and the largest number that the rest of that
// byte can say by itself.
inline constexpr uint8_t kIndexed = 0x80, kIndexedMax = 0x7f;
inline constexpr uint8_t kIndexing = 0x40, kIndexingMax = 0x3f;
inline constexpr uint8_t kTableSize = 0x20, kTableSizeMax = 0x1f;
inline constexpr uint8_t kNeverIndexed = 0x10, kWithoutIndexing = 0x00, kLiteralMax = 0x0f;
// Of a string's length.
inline constexpr uint8_t kHuffman = 0x80, kLengthMax = 0x7f;

// An integer of 32 bits takes no more.
inline constexpr size_t kIntegerBytesMax = 6;

inline uint8_t* WriteInteger(uint8_t* out, uint8_t first_bits, uint8_t prefix_max, size_t value) {
  if (value < prefix_max) {
    *out++ = static_cast<uint8_t>(first_bits | value);
    return out;
  }
  *out++ = static_cast<uint8_t>(first_bits | prefix_max);
  for (value -= prefix_max; value >= 0x80; value >>= 7) *out++ = static_cast<uint8_t>(value | 0x80);
  *out++ = static_cast<uint8_t>(value);
  return out;
}

inline uint8_t* WriteString(uint8_t* out, absl::string_view text) {
  out = WriteInteger(out, 0, kLengthMax, text.size());
  if (!text.empty()) std::memcpy(out, text.data(), text.size());
  return out + text.size();
}

enum class Read : uint8_t {
  kWhole,   // and taken off the input
  kMore,    // the input ends before it does; what is left of the input means nothing
  kBroken,  // no continuation makes it HPACK
};

// At most 28 bits beside the prefix, which is more than anything here may be.
inline Read ReadInteger(Bytes& in, uint8_t prefix_max, uint32_t& value) {
  if (in.empty()) return Read::kMore;
  value = in.front() & prefix_max;
  in.remove_prefix(1);
  if (value < prefix_max) return Read::kWhole;
  for (int shift = 0; shift <= 21; shift += 7) {
    if (in.empty()) return Read::kMore;
    const uint8_t byte = in.front();
    in.remove_prefix(1);
    value += uint32_t{byte & 0x7fu} << shift;
    if ((byte & 0x80) == 0) return Read::kWhole;
  }
  return Read::kBroken;
}

struct String {
  Bytes bytes;
  bool huffman = false;
};

// At most limits::kHeaderStringBytesMax as it is on the wire.
inline Read ReadString(Bytes& in, String& string) {
  if (in.empty()) return Read::kMore;
  string.huffman = (in.front() & kHuffman) != 0;
  uint32_t size = 0;
  const Read read = ReadInteger(in, kLengthMax, size);
  if (read != Read::kWhole) return read;
  if (size > limits::kHeaderStringBytesMax) return Read::kBroken;
  if (size > in.size()) return Read::kMore;
  string.bytes = in.first(size);
  in.remove_prefix(size);
  return Read::kWhole;
}

}  // namespace pinion::http2::hpack
