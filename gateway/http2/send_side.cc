#include "gateway/http2/send_side.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "gateway/limits.h"

namespace pinion::http2 {

SendSide::SendSide(SlabPool& pool, size_t high_watermark_bytes)
    : high_watermark_bytes_(high_watermark_bytes), pool_(pool), output_(pool) {}

void SendSide::SetMaxFrameBytes(uint32_t bytes) {
  // A peer that takes more does not get more: a large frame makes the other streams wait.
  max_frame_bytes_ = std::min(bytes, limits::kMaxFrameBytes);
}

bool SendSide::AddStreamWindow(StreamState& stream, int64_t bytes) {
  if (!stream.send_window.Add(bytes)) return false;
  if (stream.send_window.open()) {
    if (stream.wants_write && !stream.queued) Enqueue(stream);
  } else if (stream.queued) {
    Dequeue(stream);
  }
  return true;
}

// ---- control frames ----

uint8_t* SendSide::ControlFrame(FrameType type, uint8_t flags, StreamId id,
                                uint32_t payload_bytes) {
  CountControlFrame();
  return UncountedFrame(type, flags, id, payload_bytes);
}

uint8_t* SendSide::UncountedFrame(FrameType type, uint8_t flags, StreamId id,
                                  uint32_t payload_bytes) {
  uint8_t* out = output_.Extend(kFrameHeaderBytes + payload_bytes);
  WriteFrameHeader(out, {payload_bytes, type, flags, id});
  return out + kFrameHeaderBytes;
}

void SendSide::CountControlFrame() {
  if (output_.appended() - output_.size() >= mark_) {
    control_before_mark_ = control_since_mark_;
    control_since_mark_ = 0;
    mark_ = output_.appended();
    if (output_.empty()) control_before_mark_ = 0;
  }
  ++control_since_mark_;
}

bool SendSide::overflowed(Role role) const {
  return control_before_mark_ + control_since_mark_ > limits::kControlFramesQueuedMax ||
         (role == Role::kServer && output_.size() > limits::kOutputBytesMax);
}

void SendSide::Preface() {
  output_.Append(
      Bytes(reinterpret_cast<const uint8_t*>(kClientPreface.data()), kClientPreface.size()));
}

void SendSide::Settings(Bytes payload) {
  uint8_t* out = ControlFrame(FrameType::kSettings, 0, 0, static_cast<uint32_t>(payload.size()));
  std::memcpy(out, payload.data(), payload.size());
}

void SendSide::SettingsAck() { ControlFrame(FrameType::kSettings, flags::kAck, 0, 0); }

void SendSide::Ping(uint64_t opaque, bool ack) {
  WriteU64(ControlFrame(FrameType::kPing, ack ? flags::kAck : 0, 0, 8), opaque);
}

void SendSide::RstStream(StreamId id, ErrorCode code) {
  WriteU32(ControlFrame(FrameType::kRstStream, 0, id, 4), static_cast<uint32_t>(code));
}

void SendSide::Cancel(StreamId id, ErrorCode code) {
  WriteU32(UncountedFrame(FrameType::kRstStream, 0, id, 4), static_cast<uint32_t>(code));
}

void SendSide::WindowUpdate(StreamId id, uint32_t increment) {
  WriteU32(ControlFrame(FrameType::kWindowUpdate, 0, id, 4), increment);
}

void SendSide::GoAway(StreamId last_stream_id, ErrorCode code, absl::string_view debug) {
  constexpr size_t kDebugBytesMax = 1024;
  debug = debug.substr(0, kDebugBytesMax);
  uint8_t* out = ControlFrame(FrameType::kGoAway, 0, 0, static_cast<uint32_t>(8 + debug.size()));
  WriteU32(out, last_stream_id);
  WriteU32(out + 4, static_cast<uint32_t>(code));
  if (!debug.empty()) std::memcpy(out + 8, debug.data(), debug.size());
}

// ---- streams ----

void SendSide::HeaderBlockFrames(StreamId id, absl::Span<const HeaderField> fields,
                                 bool end_stream) {
  Bytes block = encoder_.Encode(fields, pool_.scratch());
  FrameType type = FrameType::kHeaders;
  uint8_t flags = end_stream ? flags::kEndStream : 0;
  do {
    const size_t size = std::min<size_t>(block.size(), max_frame_bytes_);
    if (size == block.size()) flags |= flags::kEndHeaders;
    WriteFrameHeader(output_.Extend(kFrameHeaderBytes),
                     {static_cast<uint32_t>(size), type, flags, id});
    output_.Append(block.first(size));
    block.remove_prefix(size);
    type = FrameType::kContinuation;
    flags = 0;
  } while (!block.empty());
}

void SendSide::DataFrame(StreamId id, Bytes bytes, bool end_stream) {
  const uint8_t flags = end_stream ? flags::kEndStream : 0;
  WriteFrameHeader(output_.Extend(kFrameHeaderBytes),
                   {static_cast<uint32_t>(bytes.size()), FrameType::kData, flags, id});
  output_.Append(bytes);
}

size_t SendSide::Room(const StreamState& stream, size_t wanted) const {
  if (queue_head_ != nullptr && turn_ != &stream) return 0;  // others wait: queue up behind them
  const int64_t window = std::min(stream.send_window.available(), connection_window_.available());
  if (window <= 0 || output_.size() >= high_watermark_bytes_) return 0;
  size_t room = std::min<size_t>(
      {wanted, static_cast<size_t>(window), high_watermark_bytes_ - output_.size()});
  if (queue_head_ != nullptr) room = std::min(room, turn_bytes_);
  return room;
}

size_t SendSide::Data(StreamState& stream, Bytes bytes, bool end_stream, uint32_t& frames) {
  if (bytes.empty()) {
    if (end_stream) {
      DataFrame(stream.id_, {}, true);
      ++frames;
    }
    return 0;
  }
  const size_t taken = Room(stream, bytes.size());
  for (size_t sent = 0; sent < taken; ++frames) {
    const size_t size = std::min<size_t>(taken - sent, max_frame_bytes_);
    DataFrame(stream.id_, bytes.subspan(sent, size), end_stream && sent + size == bytes.size());
    sent += size;
  }
  stream.send_window.Spend(static_cast<uint32_t>(taken));
  connection_window_.Spend(static_cast<uint32_t>(taken));
  if (turn_ == &stream) turn_bytes_ -= std::min(turn_bytes_, taken);
  if (taken < bytes.size()) {
    stream.wants_write = true;
    if (stream.send_window.open() && !stream.queued) Enqueue(stream);
  }
  return taken;
}

StreamState* SendSide::NextWritable() {
  turn_ = nullptr;
  // Half of the watermark, so that a draining socket is not fed crumbs.
  if (queue_head_ == nullptr || !connection_window_.open() ||
      output_.size() > high_watermark_bytes_ / 2)
    return nullptr;
  turn_ = queue_head_;
  turn_bytes_ = limits::kSendTurnBytes;
  Dequeue(*turn_);
  turn_->wants_write = false;
  return turn_;
}

void SendSide::Forget(StreamState& stream) {
  if (stream.queued) Dequeue(stream);
  stream.wants_write = false;
  if (turn_ == &stream) turn_ = nullptr;
}

void SendSide::Enqueue(StreamState& stream) {
  if (turn_ == &stream) turn_ = nullptr;
  stream.queued = true;
  stream.queue_prev = queue_tail_;
  stream.queue_next = nullptr;
  (queue_tail_ == nullptr ? queue_head_ : queue_tail_->queue_next) = &stream;
  queue_tail_ = &stream;
}

void SendSide::Dequeue(StreamState& stream) {
  (stream.queue_prev == nullptr ? queue_head_ : stream.queue_prev->queue_next) = stream.queue_next;
  (stream.queue_next == nullptr ? queue_tail_ : stream.queue_next->queue_prev) = stream.queue_prev;
  stream.queue_prev = stream.queue_next = nullptr;
  stream.queued = false;
}

}  // namespace pinion::http2
