#include "gateway/http2/frame_reader.h"

#include <algorithm>
#include <cstring>

namespace pinion::http2 {
namespace {

constexpr uint32_t kPadLengthBytes = 1;
constexpr uint32_t kPriorityBytes = 5;

bool HasContent(FrameType type) {
  return type == FrameType::kData || type == FrameType::kHeaders ||
         type == FrameType::kContinuation;
}

bool IsKnown(FrameType type) { return type <= FrameType::kContinuation; }

uint32_t PrefixBytes(const FrameHeader& header) {
  if (header.type == FrameType::kData) return header.has(flags::kPadded) ? kPadLengthBytes : 0;
  if (header.type != FrameType::kHeaders) return 0;
  return (header.has(flags::kPadded) ? kPadLengthBytes : 0) +
         (header.has(flags::kPriority) ? kPriorityBytes : 0);
}

}  // namespace

FrameReader::Step FrameReader::Next(Bytes& in) {
  switch (state_) {
    case State::kSkip:
      if (!Drop(in)) return Step::kNeedInput;
      state_ = State::kHeader;
      return ReadHeader(in);
    case State::kHeader:
      return ReadHeader(in);
    case State::kPrefix:
      return ReadPrefix(in);
    case State::kContent:
      return ReadContent(in);
    case State::kPadding:
      if (!Drop(in)) return Step::kNeedInput;
      state_ = State::kHeader;
      payload_ = {};
      return Step::kFragment;
    case State::kControl:
      return ReadControl(in);
  }
  return Step::kNeedInput;
}

void FrameReader::SkipFrame() {
  if (state_ == State::kContent) left_ += padding_bytes_;
  state_ = State::kSkip;
}

FrameReader::Step FrameReader::ReadHeader(Bytes& in) {
  const uint8_t* bytes = Gather(in, kFrameHeaderBytes);
  if (bytes == nullptr) return Step::kNeedInput;
  header_ = ReadFrameHeader(bytes);
  if (header_.length > max_frame_bytes_) return Step::kTooLong;
  has_dependency_ = false;
  padding_bytes_ = 0;
  left_ = header_.length;
  content_bytes_ = header_.length;
  if (!HasContent(header_.type)) {
    state_ = IsKnown(header_.type) ? State::kControl : State::kSkip;
    return Step::kBegin;
  }
  const uint32_t prefix_bytes = PrefixBytes(header_);
  if (header_.length < prefix_bytes) return Step::kTooShort;
  if (prefix_bytes > 0) {
    state_ = State::kPrefix;
    return ReadPrefix(in);
  }
  state_ = State::kContent;
  return Step::kBegin;
}

FrameReader::Step FrameReader::ReadPrefix(Bytes& in) {
  const uint32_t prefix_bytes = PrefixBytes(header_);
  const uint8_t* bytes = Gather(in, prefix_bytes);
  if (bytes == nullptr) return Step::kNeedInput;
  if (header_.has(flags::kPadded)) padding_bytes_ = *bytes++;
  if (header_.type == FrameType::kHeaders && header_.has(flags::kPriority)) {
    has_dependency_ = true;
    dependency_ = ReadU32(bytes) & kMaxStreamId;
  }
  const uint32_t rest = header_.length - prefix_bytes;
  if (padding_bytes_ > rest) return Step::kBadPadding;
  content_bytes_ = rest - padding_bytes_;
  left_ = content_bytes_;
  state_ = State::kContent;
  return Step::kBegin;
}

FrameReader::Step FrameReader::ReadContent(Bytes& in) {
  if (left_ > 0 && in.empty()) return Step::kNeedInput;
  const size_t size = std::min<size_t>(left_, in.size());
  payload_ = in.first(size);
  in.remove_prefix(size);
  left_ -= static_cast<uint32_t>(size);
  if (left_ > 0) return Step::kFragment;
  if (padding_bytes_ == 0) {
    state_ = State::kHeader;
    return Step::kFragment;
  }
  left_ = padding_bytes_;
  state_ = State::kPadding;
  return payload_.empty() ? Next(in) : Step::kFragment;
}

FrameReader::Step FrameReader::ReadControl(Bytes& in) {
  const size_t size = std::min<size_t>(left_, kControlBytes);
  const uint8_t* bytes = Gather(in, size);
  if (bytes == nullptr) return Step::kNeedInput;
  payload_ = Bytes(bytes, size);
  left_ -= static_cast<uint32_t>(size);
  state_ = left_ > 0 ? State::kSkip : State::kHeader;
  return Step::kControl;
}

const uint8_t* FrameReader::Gather(Bytes& in, size_t size) {
  if (carried_ == 0 && in.size() >= size) {
    const uint8_t* bytes =
        in.data() != nullptr ? in.data() : carry_.data();  // an empty payload is not "none yet"
    in.remove_prefix(size);
    return bytes;
  }
  const size_t more = std::min(size - carried_, in.size());
  if (more > 0) std::memcpy(carry_.data() + carried_, in.data(), more);
  in.remove_prefix(more);
  carried_ = static_cast<uint8_t>(carried_ + more);
  if (carried_ < size) return nullptr;
  carried_ = 0;
  return carry_.data();
}

bool FrameReader::Drop(Bytes& in) {
  const size_t size = std::min<size_t>(left_, in.size());
  in.remove_prefix(size);
  left_ -= static_cast<uint32_t>(size);
  return left_ == 0;
}

}  // namespace pinion::http2
