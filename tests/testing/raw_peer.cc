#include "tests/testing/raw_peer.h"

#include <utility>

#include "base/check.h"
#include "gateway/http2/header_block.h"

namespace pinion::testing {

RawPeer::RawPeer(SimLoop& loop, std::unique_ptr<net::ByteStream> stream, bool client,
                 const std::string& settings)
    : loop_(loop), stream_(std::move(stream)), expects_preface_(!client) {
  stream_->SetObserver(this);
  Send((client ? std::string(h2::kPreface) : "") + settings);
}

void RawPeer::Send(std::string bytes) {
  loop_.Post([this, bytes = std::move(bytes)] {
    unsent_ += bytes;
    Flush();
  });
}

void RawPeer::Close() {
  loop_.Post([this] { stream_.reset(); });
}

void RawPeer::Flush() {
  while (stream_ != nullptr && !unsent_.empty()) {
    const absl::Span<const uint8_t> piece(reinterpret_cast<const uint8_t*>(unsent_.data()),
                                          unsent_.size());
    const net::IoResult result = stream_->Write(absl::MakeSpan(&piece, 1));
    if (result.state != net::IoState::kOk || result.bytes == 0) return;
    unsent_.erase(0, result.bytes);
  }
}

void RawPeer::OnReadable() {
  uint8_t buffer[16 * 1024];
  while (stream_ != nullptr) {
    const net::IoResult result = stream_->Read(absl::MakeSpan(buffer));
    ended_ = ended_ || result.state == net::IoState::kEof || result.state == net::IoState::kFailed;
    if (result.state != net::IoState::kOk) return;
    bytes_.append(reinterpret_cast<const char*>(buffer), result.bytes);
    unparsed_.append(reinterpret_cast<const char*>(buffer), result.bytes);
    if (expects_preface_) {
      if (unparsed_.size() < h2::kPreface.size()) continue;
      unparsed_.erase(0, h2::kPreface.size());
      expects_preface_ = false;
    }
    for (h2::WireFrame& frame : h2::TakeFrames(unparsed_)) OnFrame(std::move(frame));
  }
}

void RawPeer::OnFrame(h2::WireFrame wire) {
  Frame& frame = frames_.emplace_back();
  static_cast<h2::WireFrame&>(frame) = std::move(wire);
  if (frame.type == h2::kSettings && (frame.flags & h2::kAck) == 0) Send(h2::SettingsAck());
  if (frame.type == h2::kHeaders) {
    CHECK((frame.flags & h2::kEndHeaders) != 0);  // no test needs larger blocks
    http2::HeaderBlock block;
    http2::HeaderListProgress progress;
    const http2::Bytes payload(reinterpret_cast<const uint8_t*>(frame.payload.data()),
                               frame.payload.size());
    CHECK(decoder_.Decode(payload, true, {UINT32_MAX, UINT32_MAX}, progress, &block));
    AppendFields(block.fields(), frame.fields);
  }
  if (on_frame_ != nullptr) on_frame_(Frame(frame));
}

std::vector<const RawPeer::Frame*> RawPeer::Of(uint32_t stream_id, uint8_t type) const {
  std::vector<const Frame*> found;
  for (const Frame& frame : frames_) {
    if (frame.stream_id == stream_id && frame.type == type) found.push_back(&frame);
  }
  return found;
}

std::string RawPeer::DataOf(uint32_t stream_id) const {
  std::string data;
  for (const Frame* frame : Of(stream_id, h2::kData)) data += frame->payload;
  return data;
}

std::optional<uint32_t> RawPeer::ResetOf(uint32_t stream_id) const {
  const auto resets = Of(stream_id, h2::kRstStream);
  if (resets.empty()) return std::nullopt;
  return resets.back()->u32();
}

std::string RawPeer::FieldOf(uint32_t stream_id, std::string_view name) const {
  const auto blocks = Of(stream_id, h2::kHeaders);
  const std::string* value =
      blocks.empty() ? nullptr : FindField(blocks.back()->fields, name);
  return value == nullptr ? "" : *value;
}

}  // namespace pinion::testing
