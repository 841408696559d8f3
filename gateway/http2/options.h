// What one HTTP/2 connection allows. Defaults and their reasons: gateway/limits.h.
#pragma once

#include <cstddef>
#include <cstdint>

#include "gateway/http2/types.h"
#include "gateway/limits.h"

namespace pinion::http2 {

struct Options {
  uint32_t max_concurrent_streams =
      limits::kMaxConcurrentStreams;  // server role: announced and enforced
  uint32_t stream_window_bytes = limits::kStreamWindowBytes;
  uint32_t connection_window_bytes = limits::kConnectionWindowBytes;
  // How far both may grow; below the first size: not at all.
  uint32_t stream_window_bytes_max = limits::kStreamWindowBytesMax;
  uint32_t connection_window_bytes_max = limits::kConnectionWindowBytesMax;
  uint32_t max_header_list_bytes = limits::kMaxHeaderListBytes;
  uint32_t max_header_fields = limits::kMaxHeaderFields;
  uint32_t max_frame_bytes = limits::kMaxFrameBytes;
  uint32_t assumed_peer_max_streams = limits::kAssumedPeerMaxStreams;
  StreamId first_stream_id = 1;  // client role; tests begin near the end of the ids
  // SendData() takes nothing while this much waits for the socket.
  size_t output_high_watermark_bytes = limits::kOutputHighWatermarkBytes;
};

}  // namespace pinion::http2
