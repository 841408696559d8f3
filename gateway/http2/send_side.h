// The sending half of a session: what we say, in frames, within the peer's windows and sizes. Knows
// no stream states beyond local_closed_. Owned by a session; one thread.
#pragma once

#include <cstddef>
#include <cstdint>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "gateway/http2/flow_window.h"
#include "gateway/http2/frame.h"
#include "gateway/http2/hpack_encoder.h"
#include "gateway/http2/output_buffer.h"
#include "gateway/http2/slab_pool.h"
#include "gateway/http2/stream_state.h"
#include "gateway/http2/types.h"

namespace pinion::http2 {

class SendSide {
 public:
  SendSide(SlabPool& pool, size_t high_watermark_bytes);

  OutputBuffer& output() { return output_; }

  // ---- the peer's settings and windows ----

  void SetMaxFrameBytes(uint32_t bytes);
  void SetHeaderTableBytes(uint32_t bytes) { encoder_.SetTableBytes(bytes); }
  // WINDOW_UPDATE on the connection. False beyond 2^31-1.
  [[nodiscard]] bool AddConnectionWindow(uint32_t bytes) { return connection_window_.Add(bytes); }
  bool window_open() const { return connection_window_.open(); }
  // WINDOW_UPDATE on a stream, or (either sign) a new initial window. False beyond 2^31-1.
  [[nodiscard]] bool AddStreamWindow(StreamState& stream, int64_t bytes);

  // ---- control frames ----

  void Preface();
  void Settings(Bytes payload);
  void SettingsAck();
  void Ping(uint64_t opaque, bool ack);
  void RstStream(StreamId id, ErrorCode code);
  // RST_STREAM of a call that we began: no answer to anything, so it does not count for
  // overflowed().
  void Cancel(StreamId id, ErrorCode code);
  void WindowUpdate(StreamId id, uint32_t increment);
  void GoAway(StreamId last_stream_id, ErrorCode code, absl::string_view debug);

  // ---- streams ----

  // HEADERS and as many CONTINUATION frames as it takes.
  void HeaderBlockFrames(StreamId id, absl::Span<const HeaderField> fields, bool end_stream);

  // As Session::SendData(), for a stream that is not locally closed. Adds the DATA frames written
  // to `frames`.
  size_t Data(StreamState& stream, Bytes bytes, bool end_stream, uint32_t& frames);

  // As Session::NextWritable().
  StreamState* NextWritable();

  // The stream sends no more DATA: it leaves the queue.
  void Forget(StreamState& stream);

  // ---- a peer that does not read ----

  // Too many control frames or, towards a caller, too many bytes in all wait for the socket.
  // Towards an instance the bytes are those of many callers, whose calls wait instead
  // (limits::kUnwrittenBytesMax).
  bool overflowed(Role role) const;

 private:
  uint8_t* ControlFrame(FrameType type, uint8_t flags, StreamId id, uint32_t payload_bytes);
  uint8_t* UncountedFrame(FrameType type, uint8_t flags, StreamId id, uint32_t payload_bytes);
  void DataFrame(StreamId id, Bytes bytes, bool end_stream);
  // How many of `wanted` bytes may go out now.
  size_t Room(const StreamState& stream, size_t wanted) const;
  void Enqueue(StreamState& stream);
  void Dequeue(StreamState& stream);
  void CountControlFrame();

  const size_t high_watermark_bytes_;
  SlabPool& pool_;
  OutputBuffer output_;
  HpackEncoder encoder_;
  SendWindow connection_window_;
  uint32_t max_frame_bytes_ = kDefaultMaxFrameBytes;

  // Streams that wait for the connection's window or for the output to drain, in turn; their own
  // windows are open.
  StreamState* queue_head_ = nullptr;
  StreamState* queue_tail_ = nullptr;
  // The stream whose turn it is, and what is left of it. Null: nobody's.
  StreamState* turn_ = nullptr;
  size_t turn_bytes_ = 0;

  // Control frames that may still wait: those since the mark, and those before it while the mark is
  // not written. Never fewer than really wait, at most twice as many.
  uint32_t control_since_mark_ = 0;
  uint32_t control_before_mark_ = 0;
  uint64_t mark_ = 0;  // of output_.appended()
};

}  // namespace pinion::http2
