// One HTTP/2 connection without its socket (RFC 9113): bytes in, events; calls in, bytes out. The
// same engine is server towards callers and client towards instances. Does no I/O, reads no clock,
// starts no thread; owned by one connection, used on its worker's thread.
//
// One wake-up of a connection:
//
//     while (bytes left) {
//       bytes.remove_prefix(session.Receive(bytes, now));
//       for (const Event& event : session.events()) Act(event);  // may call this or other sessions
//       session.ReleaseEvents();
//     }
//     while (Stream* stream = session.NextWritable()) Pump(*stream);
//     write(session.output()); session.output().Consume(written);
//
// A unary call at the server role:
//
//     kHeaders(stream, end_stream=false)  kData(stream, 10 bytes, end_stream=true)
//     SendHeaders(stream, …)  SendData(stream, …)  SendTrailers(stream, …)  Release(stream)
//
// A cancelled one: kHeaders, kData, kReset(stream, kCancel); the user only calls Release(stream).
// A refused one (Trailers-Only): kHeaders; SendHeaders(stream, …, end_stream=true);
// Release(stream).
//
// After a connection error the engine has queued GOAWAY; failed() is true, Receive() swallows
// everything, and each open stream got a kReset. The user flushes the output and closes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "gateway/http2/header_block.h"
#include "gateway/http2/limit_counters.h"
#include "gateway/http2/options.h"
#include "gateway/http2/output_buffer.h"
#include "gateway/http2/stream.h"
#include "gateway/http2/types.h"

namespace pinion::http2 {

enum class EventType : uint8_t {
  kNone,  // taken back, because the user reset or released the stream in this batch: skip it. The
          // event at hand becomes one too
  kHeaders,   // first header block of a request (server) or a response (client; 1xx blocks are
              // kInterim)
  kInterim,   // 1xx response
  kData,      // `data` points into the bytes given to Receive()
  kTrailers,  // final header block; end_stream is true
  kReset,  // the stream is over: by the peer, or by this engine because of the peer (reset_by_us)
  kSettings,  // the peer's SETTINGS changed: peer_max_concurrent_streams() may differ
  kPingAck,   // answer to Ping()
  kGoAway,    // streams above last_stream_id were not and will not be seen by the peer; each gets a
              // kReset(kRefusedStream) after it
};

struct Event {
  EventType type;
  bool end_stream = false;
  bool reset_by_us = false;
  Stream* stream = nullptr;        // null for connection events
  HeaderBlock* headers = nullptr;  // valid until ReleaseEvents(); the user may swap it for another
                                   // that it no longer needs
  Bytes data;  // valid until ReleaseEvents() and as long as the bytes given to Receive(); kGoAway:
               // debug text
  ErrorCode error = ErrorCode::kNoError;
  StreamId last_stream_id = 0;
  uint64_t opaque = 0;  // kPingAck
};

class Session {
 public:
  // A client queues its preface: SETTINGS, and a connection window of
  // options.connection_window_bytes. A server does so when the client's preface has arrived; one
  // that speaks HTTP/1 gets an answer in HTTP/1. `pool` and `limits` (null:
  // nobody counts) outlive the session.
  Session(Role role, const Options& options, SlabPool& pool, LimitCounters* limits = nullptr);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // ---- bytes in ----

  // Parses a prefix of `bytes`, records events, and returns how many bytes it took: all of them
  // unless the batch of events is full (limits::kEventsPerBatchMax, kDecodedBytesPerBatchMax).
  // `now` is monotonic. REQUIRES: events() was released.
  size_t Receive(Bytes bytes, absl::Time now);
  absl::Span<const Event> events() const;

  // Ends the batch: header blocks and released streams are freed.
  void ReleaseEvents();

  // ---- streams ----

  // Client role: opens a stream and sends its HEADERS. Null when CanOpenStream() is false. `user`
  // becomes stream->user().
  Stream* OpenStream(absl::Span<const HeaderField> fields, bool end_stream, void* user);

  // Below the peer's MAX_CONCURRENT_STREAMS, not going away, not failed, ids left. Before the
  // peer's first SETTINGS its limit counts as options.assumed_peer_max_streams.
  bool CanOpenStream() const;

  // The first, or (server) an interim 1xx, header block. Pseudo-headers first. Nothing happens on a
  // stream that is already over.
  void SendHeaders(Stream& stream, absl::Span<const HeaderField> fields, bool end_stream);

  // Queues as DATA as many of the bytes as both windows and the output limit allow and returns how
  // many. If fewer than all, the stream is remembered and comes back from NextWritable().
  // END_STREAM is sent only with the last byte; an empty `bytes` with end_stream is always taken. A
  // stream that is over takes everything and sends nothing.
  size_t SendData(Stream& stream, Bytes bytes, bool end_stream);

  // The final header block, with END_STREAM. REQUIRES: headers were sent and all data was taken.
  void SendTrailers(Stream& stream, absl::Span<const HeaderField> fields);

  // RST_STREAM, unless the stream is over in both directions. No events follow for it; what
  // SendData took and is not yet written may still be sent before it.
  void Reset(Stream& stream, ErrorCode code);

  // The user handed on `bytes` bytes of DATA received on this stream: its window opens again, with
  // WINDOW_UPDATE from half a window on. A stream whose DATA is handed on as it arrives, and so
  // fast that its window is what limits it (see SetRoundTrip), gets a window of twice the size, up
  // to options.stream_window_bytes_max and the worker's WindowBudget. The connection's window opens
  // by itself as data arrives: a stream that is not read never holds up another (the memory is
  // bounded by the streams' windows).
  void Consume(Stream& stream, size_t bytes);

  // The connection's round-trip time as last measured; windows grow by it. Zero: unknown, and they
  // do not grow.
  void SetRoundTrip(absl::Duration round_trip);

  // The user is done with the stream and will not touch it again; called once for each stream that
  // it saw. Resets it with `code` if it is still open in either direction (a server's early
  // response ends with kNoError: RFC 9113 section 8.1). The object lives until ReleaseEvents() of
  // the running batch, if there is one.
  void Release(Stream& stream, ErrorCode code = ErrorCode::kNoError);

  // The next stream whose SendData() was cut short and that can send now, in turn; null when there
  // is none.
  Stream* NextWritable();

  // Open or half-closed streams.
  size_t active_streams() const;

  // ---- connection ----

  void Ping(uint64_t opaque);

  // Graceful end. First call with last = max: GOAWAY(2^31−1), streams go on being accepted;
  // GoAwayFinal(): GOAWAY with the highest id seen, newer ones are refused. `debug` is shown to
  // people.
  void GoAwayNotice();
  void GoAwayFinal(ErrorCode code, absl::string_view debug);

  // The transport is gone: records a kReset (kInternalError, reset_by_us) for each open stream, to
  // be acted on like those of Receive(). failed() turns true and nothing more is queued. REQUIRES:
  // events() was released.
  void Abandon(absl::string_view why);

  // Either side said GOAWAY, finally; open no more streams here.
  bool going_away() const;
  bool failed() const;
  ErrorCode failure() const;
  // What the peer (or we) did wrong, for the log; empty unless failed().
  absl::string_view failure_detail() const;

  uint32_t peer_max_concurrent_streams() const;

  // The largest header list that the peer takes (ListBytes()). It may answer a larger one with the
  // end of the connection: whoever sends one should look first.
  uint32_t peer_max_header_list_bytes() const;

  // The highest id of a stream that the peer opened; 0 before the first.
  StreamId last_peer_stream_id() const;

  // The peer's first SETTINGS has arrived.
  bool established() const;

  // The peer lets us send DATA on this connection; what a stream's own window says is another
  // matter.
  bool send_window_open() const;

  // When the header block began of which the rest has yet to arrive; InfiniteFuture: there is none.
  absl::Time header_block_since() const;

  // ---- bytes out ----

  OutputBuffer& output();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace pinion::http2
