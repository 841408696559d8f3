// Cuts a byte stream into frames, however the bytes are split. DATA and header block fragments pass
// through as they arrive, in place; only frame headers, their prefixes and small control payloads
// are carried over from one read to the next. Knows lengths and padding, nothing of streams. Owned
// by a session; one thread.
//
//     DATA, HEADERS, CONTINUATION:
//     kHeader ──▶ kPrefix ──▶ kBegin reported ──▶ kContent ──▶ kPadding ──▶ kHeader
//        └──────────────────▶ kBegin reported ──▶ kControl ──▶ kSkip ─────▶ kHeader
//     the others
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "gateway/http2/frame.h"
#include "gateway/http2/types.h"
#include "gateway/limits.h"

namespace pinion::http2 {

class FrameReader {
 public:
  enum class Step {
    kNeedInput,  // all of the input was used
    kBegin,      // header() and what comes before the content are known
    kFragment,  // payload() is the next piece of content; frame_done() tells whether it is the last
                // (it may be empty then)
    kControl,   // payload() is the frame's payload, at most kControlBytes of it
    kTooLong,   // longer than the maximum frame size
    kTooShort,  // too short for its own fixed fields
    kBadPadding,  // more padding than payload
  };

  // The longest control payload that is needed whole: SETTINGS with all the entries that are
  // allowed.
  static constexpr size_t kControlBytes = limits::kMaxSettingsEntries * kSettingBytes;

  explicit FrameReader(uint32_t max_frame_bytes) : max_frame_bytes_(max_frame_bytes) {}

  // Advances to the next step and removes what it used from the front of `in`. After an error the
  // reader must not be used again.
  Step Next(Bytes& in);

  // Drops the rest of the frame just begun: neither kFragment nor kControl is reported for it.
  void SkipFrame();

  // Of the frame last begun.
  const FrameHeader& header() const { return header_; }
  uint32_t content_bytes() const { return content_bytes_; }
  // Pad length field and padding: flow-controlled, but never seen by the user.
  uint32_t overhead_bytes() const { return header_.length - content_bytes_; }
  bool has_dependency() const { return has_dependency_; }
  StreamId dependency() const { return dependency_; }

  // Of the step last reported. Points into `in` or into the reader.
  Bytes payload() const { return payload_; }
  bool frame_done() const { return state_ == State::kHeader; }

 private:
  enum class State : uint8_t { kHeader, kPrefix, kContent, kPadding, kControl, kSkip };

  Step ReadHeader(Bytes& in);
  Step ReadPrefix(Bytes& in);
  Step ReadContent(Bytes& in);
  Step ReadControl(Bytes& in);
  // `size` contiguous bytes, or null after carrying over what there is.
  const uint8_t* Gather(Bytes& in, size_t size);
  // Drops from left_ what `in` has of it; true when nothing is left.
  bool Drop(Bytes& in);

  const uint32_t max_frame_bytes_;
  FrameHeader header_;
  uint32_t content_bytes_ = 0;
  uint32_t padding_bytes_ = 0;
  uint32_t left_ = 0;  // of the present state
  StreamId dependency_ = 0;
  bool has_dependency_ = false;
  State state_ = State::kHeader;
  uint8_t carried_ = 0;
  Bytes payload_;
  std::array<uint8_t, kControlBytes> carry_;
};

}  // namespace pinion::http2
