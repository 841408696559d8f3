#include "gateway/http2/frame.h"

namespace pinion::http2 {

FrameHeader ReadFrameHeader(const uint8_t* in) {
  FrameHeader header;
  header.length = uint32_t{in[0]} << 16 | uint32_t{in[1]} << 8 | in[2];
  header.type = static_cast<FrameType>(in[3]);
  header.flags = in[4];
  header.stream_id = ReadU32(in + 5) & kMaxStreamId;
  return header;
}

void WriteFrameHeader(uint8_t* out, const FrameHeader& header) {
  out[0] = static_cast<uint8_t>(header.length >> 16);
  out[1] = static_cast<uint8_t>(header.length >> 8);
  out[2] = static_cast<uint8_t>(header.length);
  out[3] = static_cast<uint8_t>(header.type);
  out[4] = header.flags;
  WriteU32(out + 5, header.stream_id);
}

}  // namespace pinion::http2
