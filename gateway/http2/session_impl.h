// The inside of a Session. Bytes come in through FrameReader and HpackDecoder; session_receive.cc
// decides what each frame means (RFC 9113 sections 5 and 6), session_headers.cc what each header
// block means (section 8), session_streams.cc holds the life of streams and of the connection;
// SendSide writes. One thread.
//
// What a frame on a stream that is not active means:
//
//     idle           PRIORITY ignored, HEADERS opens (server), else connection error PROTOCOL_ERROR
//     ended clean    HEADERS, DATA: connection error STREAM_CLOSED; others ignored
//     reset by peer  HEADERS, DATA: RST_STREAM(STREAM_CLOSED); others ignored
//     reset by us    ignored; DATA still counts for the connection's window, header blocks are
//                    still decoded
//     forgotten      as reset by peer, but HEADERS from a client: connection error PROTOCOL_ERROR
//                    (ids must grow)
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "gateway/http2/event_batch.h"
#include "gateway/http2/flood_guards.h"
#include "gateway/http2/flow_window.h"
#include "gateway/http2/frame.h"
#include "gateway/http2/frame_reader.h"
#include "gateway/http2/hpack_decoder.h"
#include "gateway/http2/send_side.h"
#include "gateway/http2/session.h"
#include "gateway/http2/settings.h"
#include "gateway/http2/stream_table.h"

namespace pinion::http2 {

class Session::Impl {
 public:
  Impl(Role role, const Options& options, SlabPool& pool, LimitCounters* limits);
  ~Impl();

  // The methods of Session; their contracts are there.
  size_t Receive(Bytes bytes, absl::Time now);
  absl::Span<const Event> events() const;
  void ReleaseEvents();
  Stream* OpenStream(absl::Span<const HeaderField> fields, bool end_stream, void* user);
  bool CanOpenStream() const;
  void SendHeaders(StreamState& stream, absl::Span<const HeaderField> fields, bool end_stream);
  size_t SendData(StreamState& stream, Bytes bytes, bool end_stream);
  void Reset(StreamState& stream, ErrorCode code);
  void Consume(StreamState& stream, size_t bytes);
  void SetRoundTrip(absl::Duration round_trip) { round_trip_ = round_trip; }
  void Release(StreamState& stream, ErrorCode code);
  Stream* NextWritable() { return failed_ ? nullptr : send_.NextWritable(); }
  size_t active_streams() const { return table_.size(); }
  void Ping(uint64_t opaque);
  void GoAwayNotice();
  void GoAwayFinal(ErrorCode code, absl::string_view debug);
  void Abandon(absl::string_view why);
  bool going_away() const { return goaway_sent_ || goaway_received_; }
  bool failed() const { return failed_; }
  ErrorCode failure() const { return failure_; }
  absl::string_view failure_detail() const { return failure_detail_; }
  uint32_t peer_max_concurrent_streams() const;
  uint32_t peer_max_header_list_bytes() const { return peer_.max_header_list_bytes; }
  StreamId last_peer_stream_id() const { return peer_highest_id_; }
  bool established() const { return established_; }
  bool send_window_open() const { return send_.window_open(); }
  absl::Time header_block_since() const {
    return block_.kind == BlockKind::kNone || failed_ ? absl::InfiniteFuture() : block_.since;
  }
  OutputBuffer& output() { return send_.output(); }

 private:
  using How = ClosedStreams::How;

  // What the header block that is arriving will be.
  enum class BlockKind : uint8_t { kNone, kRequest, kResponse, kTrailers, kDiscarded };
  struct ArrivingBlock {
    BlockKind kind = BlockKind::kNone;
    bool end_stream = false;
    StreamId id = 0;
    uint32_t continuations = 0;
    absl::Time since;
    StreamState* stream = nullptr;  // kResponse and kTrailers
    HeaderListProgress progress;
    std::unique_ptr<HeaderBlock> fields;  // null if discarded
  };

  void OpenBatch();
  void SayHello();

  // ---- session_receive.cc: frames ----
  void ReceivePreface(Bytes& in);
  void OnStep(FrameReader::Step step);
  void OnBegin();
  void OnFragment();
  void OnControl();
  void BeginData();
  bool AdmitData(StreamState& stream);
  void BeginPriority();
  void BeginRstStream();
  void BeginSettings();
  void BeginWindowUpdate();
  void OnRstStream(Bytes payload);
  void OnSettings(Bytes payload);
  void OnSettingsAck();
  void OnPing(Bytes payload);
  void OnGoAway(Bytes payload);
  void OnWindowUpdate(uint32_t increment);
  bool BatchFull() const;

  // ---- session_headers.cc: header blocks ----
  void BeginHeaders();
  void BeginRequest(StreamId id);
  void BeginContinuation();
  void OnBlockFragment();
  void OnBlockEnd();
  void OnRequest();
  void OnResponse(StreamState& stream);
  void OnTrailers(StreamState& stream);
  void OnBlockTooLarge();
  void DiscardBlock();

  // ---- session_streams.cc: streams and the connection ----
  StreamState* NewStream(StreamId id);
  void FreeStream(StreamState* stream);
  bool IsIdle(StreamId id) const;
  // HEADERS or DATA on a stream that is neither active nor idle.
  void OnFrameForClosed(StreamId id, bool headers);
  // END_STREAM arrived; false when the body is shorter than its content-length (the stream is reset
  // then).
  bool EndRemote(StreamState& stream);
  void CloseIfEnded(StreamState& stream);
  // By how much a window that has just been returned grows now.
  uint32_t GrowStreamWindow(StreamState& stream);
  uint32_t GrowConnectionWindow();
  void Deactivate(StreamState& stream, How how);
  // A fault of the peer on an active stream: RST_STREAM, kReset.
  void StreamError(StreamState& stream, ErrorCode code);
  // The same where no active stream is.
  void StreamError(StreamId id, ErrorCode code);
  // The peer broke the connection: GOAWAY, and the end of all streams.
  void Fail(ErrorCode code, absl::string_view detail);
  // A flood: ENHANCE_YOUR_CALM.
  void FailLimit(Limit limit, absl::string_view detail);
  void Count(Limit limit) {
    if (limits_ != nullptr) limits_->Add(limit);
  }
  void EndAll(ErrorCode code, absl::string_view detail);
  Event& AddEvent(EventType type, StreamState* stream);
  void TakeBackEvents(StreamState& stream);
  // A copy that lives until ReleaseEvents().
  Bytes KeepForBatch(Bytes bytes);

  const Role role_;
  const Options options_;
  SlabPool& pool_;
  LimitCounters* const limits_;
  SendSide send_;
  FrameReader reader_;
  HpackDecoder decoder_;
  FloodGuards guards_;
  StreamTable table_;
  ClosedStreams closed_;
  PeerSettings peer_;
  ReceiveWindow receive_window_;
  WindowPace window_pace_;
  absl::Duration round_trip_ = absl::ZeroDuration();
  absl::Time now_ = absl::InfinitePast();  // of the running Receive()

  ArrivingBlock block_;
  StreamState* data_stream_ =
      nullptr;  // of the DATA frame that is arriving; null if its bytes are dropped

  std::unique_ptr<EventBatch> batch_;  // from Receive() to ReleaseEvents()
  uint64_t batch_number_ = 0;
  size_t batch_decoded_bytes_ = 0;
  StreamState* streams_ = nullptr;   // not released by the user
  StreamState* released_ = nullptr;  // released during the batch

  uint32_t local_initial_window_;  // what the peer may count on
  StreamId peer_highest_id_ = 0;   // server: of the streams opened or refused
  StreamId next_id_;               // client
  uint32_t pings_unanswered_ = 0;
  std::array<char, kClientPreface.size()> greeting_;  // server: what the client began with
  uint8_t greeting_bytes_ = 0;
  bool greeted_ = false;  // our preface is queued
  bool established_ = false;
  bool settings_acked_ = false;
  bool goaway_sent_ = false;  // the final one
  bool goaway_received_ = false;
  bool failed_ = false;
  ErrorCode failure_ = ErrorCode::kNoError;
  std::string failure_detail_;
};

}  // namespace pinion::http2
