// One direction of a call: DATA from the source stream to the sink stream, then the end. What the
// sink does not take is kept here, and the source's window stays closed by as much: memory is
// bounded by the source stream's window, and a slow reader slows its writer. Part of a Call; the
// worker's thread.
//
//     source kData ──Push──▶ sink.SendData ──cut short──▶ buffer ──OnSinkWritable──▶ sink.SendData
//     source window ◀──Consume── as much as the sink took
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "absl/types/span.h"
#include "gateway/http2/header_block.h"
#include "gateway/http2/session.h"
#include "gateway/transport/connection.h"

namespace pinion::proxy {

// A stream and its connection; null when there is none (yet, or any more).
struct StreamEnd {
  transport::Connection* connection = nullptr;
  http2::Stream* stream = nullptr;

  explicit operator bool() const { return stream != nullptr; }
};

class BodyPipe {
 public:
  // For a new call. Keeps memory that is worth keeping.
  void Reset();

  void SetSource(StreamEnd source) { source_ = source; }
  // Sends what is waiting. Call it when headers were sent on the sink.
  void SetSink(StreamEnd sink);
  // The sink is gone; what comes now waits.
  void ClearSink() { sink_ = StreamEnd(); }

  void Push(http2::Bytes bytes, bool end);
  // Ends the body with trailers. Those that have to wait are taken out of `trailers` by swapping.
  void PushTrailers(http2::HeaderBlock& trailers);
  void OnSinkWritable();

  // Forgets what is waiting; only Push() and PushTrailers() of what comes now count.
  void DropWaiting();

  // The source has said its last.
  bool ended() const { return ended_; }
  bool has_trailers() const { return has_trailers_; }
  // Those that wait, or were sent and are kept.
  absl::Span<const http2::HeaderField> trailers() const {
    return trailers_ == nullptr ? absl::Span<const http2::HeaderField>() : trailers_->fields();
  }
  // The end went with the sink's headers.
  void MarkDone() { ended_ = done_ = true; }
  // The end was handed to the sink.
  bool done() const { return done_; }
  size_t waiting_bytes() const { return buffer_.size() - begin_; }
  // Memory of its own that it occupies.
  size_t held_bytes() const { return buffer_.capacity() + kept_.capacity(); }
  // All bytes that the sink took.
  uint64_t forwarded_bytes() const { return forwarded_bytes_; }

  // ---- sending again (requests) ----

  // From now on keeps what is sent, up to so many bytes; what is beyond makes it forget all.
  void KeepForReplay(size_t bytes_max) {
    keeping_ = true;
    kept_bytes_max_ = bytes_max;
  }
  bool CanReplay() const { return keeping_; }
  // Frees what was kept.
  void ForgetReplay();
  // Takes the sink away and starts over. REQUIRES: CanReplay().
  void Rewind();

 private:
  size_t Offer(http2::Bytes bytes, bool end);
  void Drain();
  void Keep(http2::Bytes sent);
  void Credit(size_t bytes);
  void SendTrailers(const http2::HeaderBlock& trailers);
  void Buffer(http2::Bytes bytes);

  StreamEnd source_;
  StreamEnd sink_;
  std::string buffer_;
  size_t begin_ = 0;  // of what is waiting in buffer_
  size_t credited_ =
      0;  // bytes at the front of what is waiting that the source's window has back already
  uint64_t forwarded_bytes_ = 0;
  std::string kept_;
  size_t kept_bytes_max_ = 0;
  std::unique_ptr<http2::HeaderBlock> trailers_;  // that wait, or were sent and are kept
  bool has_trailers_ = false;
  bool ended_ = false;
  bool done_ = false;
  bool keeping_ = false;
};

}  // namespace pinion::proxy
