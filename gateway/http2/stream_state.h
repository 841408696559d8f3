// All that a session knows of one stream (RFC 9113 section 5.1). The states are the two closed
// flags of the base: open (neither), half-closed (one), closed (both); an idle stream has no
// object. Owned by a session; recycled through the pool; one thread.
#pragma once

#include <cstdint>

#include "gateway/http2/flow_window.h"
#include "gateway/http2/stream.h"

namespace pinion::http2 {

struct StreamState final : Stream {
  static constexpr int64_t kUnknownLength = -1;

  using Stream::id_;
  using Stream::local_closed_;
  using Stream::remote_closed_;
  using Stream::user_;

  SendWindow send_window;
  ReceiveWindow receive_window;
  WindowPace window_pace;
  int64_t expected_body_bytes = kUnknownLength;  // by content-length
  int64_t received_body_bytes = 0;

  bool headers_received = false;  // the request's, or the response's final ones
  bool is_head = false;           // content-length tells nothing about the response's body
  bool wants_write = false;       // SendData() was cut short
  bool queued = false;            // waits in the write queue: its own window is open
  bool released = false;

  // Where this batch's events of the stream lie, valid if the batch's number is `batch`.
  uint64_t batch = 0;
  uint32_t first_event = 0;
  uint32_t last_event = 0;

  // The write queue.
  StreamState* queue_prev = nullptr;
  StreamState* queue_next = nullptr;

  // All streams of the session that the user has not released, and the released ones that wait for
  // the end of the batch.
  StreamState* list_prev = nullptr;
  StreamState* list_next = nullptr;
};

}  // namespace pinion::http2
