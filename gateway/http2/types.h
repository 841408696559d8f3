// The small vocabulary of the HTTP/2 engine (RFC 9113). Values; any thread.
#pragma once

#include <cstdint>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace pinion::http2 {

using StreamId = uint32_t;
using Bytes = absl::Span<const uint8_t>;

// RFC 9113 section 7. Unknown codes from a peer are kept as they are.
enum class ErrorCode : uint32_t {
  kNoError = 0x0,
  kProtocolError = 0x1,
  kInternalError = 0x2,
  kFlowControlError = 0x3,
  kSettingsTimeout = 0x4,
  kStreamClosed = 0x5,
  kFrameSizeError = 0x6,
  kRefusedStream = 0x7,
  kCancel = 0x8,
  kCompressionError = 0x9,
  kConnectError = 0xa,
  kEnhanceYourCalm = 0xb,
  kInadequateSecurity = 0xc,
  kHttp11Required = 0xd,
};

// "CANCEL", or "UNKNOWN(77)"-free: unknown codes give "UNKNOWN". Static storage.
absl::string_view ErrorCodeName(ErrorCode code);

enum class Role : uint8_t { kServer, kClient };

}  // namespace pinion::http2
