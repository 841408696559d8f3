// SETTINGS (RFC 9113 section 6.5): the peer's values, checked, and ours, written. Values; any
// thread.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/strings/string_view.h"
#include "gateway/http2/frame.h"
#include "gateway/http2/options.h"
#include "gateway/http2/types.h"

namespace pinion::http2 {

enum class SettingId : uint16_t {
  kHeaderTableSize = 1,
  kEnablePush = 2,
  kMaxConcurrentStreams = 3,
  kInitialWindowSize = 4,
  kMaxFrameSize = 5,
  kMaxHeaderListSize = 6,
};

// A mistake of the peer that ends the connection; `detail` is static text.
struct ConnectionError {
  ErrorCode code;
  absl::string_view detail;
};

// What the peer said last of each; RFC 9113's initial values before.
struct PeerSettings {
  uint32_t header_table_bytes = 4096;
  uint32_t header_table_bytes_min = 4096;  // on the way there, in the last frame (RFC 7541 4.2)
  uint32_t max_concurrent_streams = UINT32_MAX;
  uint32_t initial_window_bytes = kDefaultWindowBytes;
  uint32_t max_frame_bytes = kDefaultMaxFrameBytes;
  uint32_t max_header_list_bytes = UINT32_MAX;
};

// Applies the entries of one SETTINGS frame in order; unknown ids are ignored. `self` is the
// receiver's role. REQUIRES: payload.size() % kSettingBytes == 0.
std::optional<ConnectionError> ApplySettings(Bytes payload, Role self, PeerSettings& settings);

// The payload of the SETTINGS frame that a session of `role` begins with.
std::vector<uint8_t> InitialSettings(Role role, const Options& options);

}  // namespace pinion::http2
