#include "gateway/http2/settings.h"

#include <algorithm>

namespace pinion::http2 {
namespace {

std::optional<ConnectionError> ApplySetting(SettingId id, uint32_t value, Role self,
                                            PeerSettings& settings) {
  switch (id) {
    case SettingId::kHeaderTableSize:
      settings.header_table_bytes = value;
      settings.header_table_bytes_min = std::min(settings.header_table_bytes_min, value);
      break;
    case SettingId::kEnablePush:
      // A client may allow what we never do; a server has nothing to allow.
      if (value > 1 || (self == Role::kClient && value == 1)) {
        return ConnectionError{ErrorCode::kProtocolError, "SETTINGS_ENABLE_PUSH out of range"};
      }
      break;
    case SettingId::kMaxConcurrentStreams:
      settings.max_concurrent_streams = value;
      break;
    case SettingId::kInitialWindowSize:
      if (value > kMaxWindowBytes) {
        return ConnectionError{ErrorCode::kFlowControlError,
                               "SETTINGS_INITIAL_WINDOW_SIZE above 2^31-1"};
      }
      settings.initial_window_bytes = value;
      break;
    case SettingId::kMaxFrameSize:
      if (value < kDefaultMaxFrameBytes || value > kLargestMaxFrameBytes) {
        return ConnectionError{ErrorCode::kProtocolError, "SETTINGS_MAX_FRAME_SIZE out of range"};
      }
      settings.max_frame_bytes = value;
      break;
    case SettingId::kMaxHeaderListSize:
      settings.max_header_list_bytes = value;
      break;
  }
  return std::nullopt;
}

}  // namespace

std::optional<ConnectionError> ApplySettings(Bytes payload, Role self, PeerSettings& settings) {
  settings.header_table_bytes_min = settings.header_table_bytes;
  for (; !payload.empty(); payload.remove_prefix(kSettingBytes)) {
    const auto id = static_cast<SettingId>(ReadU16(payload.data()));
    std::optional<ConnectionError> error =
        ApplySetting(id, ReadU32(payload.data() + 2), self, settings);
    if (error.has_value()) return error;
  }
  return std::nullopt;
}

std::vector<uint8_t> InitialSettings(Role role, const Options& options) {
  std::vector<uint8_t> payload;
  auto add = [&payload](SettingId id, uint32_t value) {
    payload.resize(payload.size() + kSettingBytes);
    uint8_t* out = payload.data() + payload.size() - kSettingBytes;
    WriteU16(out, static_cast<uint16_t>(id));
    WriteU32(out + 2, value);
  };
  if (role == Role::kClient) {
    add(SettingId::kEnablePush, 0);
  } else {
    add(SettingId::kMaxConcurrentStreams, options.max_concurrent_streams);
  }
  add(SettingId::kInitialWindowSize, options.stream_window_bytes);
  if (options.max_frame_bytes != kDefaultMaxFrameBytes)
    add(SettingId::kMaxFrameSize, options.max_frame_bytes);
  add(SettingId::kMaxHeaderListSize, options.max_header_list_bytes);
  return payload;
}

}  // namespace pinion::http2
