// What each frame means (RFC 9113 sections 5 and 6).
#include <algorithm>
#include <optional>
#include <string>

#include "gateway/http2/foreign_protocol.h"
#include "gateway/http2/session_impl.h"

namespace pinion::http2 {

using Step = FrameReader::Step;

size_t Session::Impl::Receive(Bytes bytes, absl::Time now) {
  const size_t offered = bytes.size();
  now_ = now;
  OpenBatch();
  if (!failed_ && send_.overflowed(role_))
    FailLimit(Limit::kUnreadAnswers, "the peer does not read its answers");
  if (!failed_ && role_ == Role::kServer) ReceivePreface(bytes);
  while (!failed_ && !BatchFull()) {
    const Step step = reader_.Next(bytes);
    if (step == Step::kNeedInput) break;
    OnStep(step);
  }
  return failed_ ? offered : offered - bytes.size();
}

bool Session::Impl::BatchFull() const {
  return batch_->events.size() >= limits::kEventsPerBatchMax ||
         batch_decoded_bytes_ >= limits::kDecodedBytesPerBatchMax;
}

void Session::Impl::ReceivePreface(Bytes& in) {
  if (greeting_bytes_ == greeting_.size()) return;
  const Bytes piece = in.first(std::min(in.size(), greeting_.size() - greeting_bytes_));
  std::copy(piece.begin(), piece.end(), greeting_.begin() + greeting_bytes_);
  greeting_bytes_ += static_cast<uint8_t>(piece.size());
  in.remove_prefix(piece.size());
  switch (GreetingOf({greeting_.data(), greeting_bytes_})) {
    case Greeting::kUndecided:
      return;
    case Greeting::kHttp2:
      return SayHello();
    case Greeting::kHttp1: {
      const absl::string_view answer = AnswerToHttp1();
      send_.output().Append(Bytes(reinterpret_cast<const uint8_t*>(answer.data()), answer.size()));
      return EndAll(ErrorCode::kHttp11Required, "the peer speaks HTTP/1");
    }
    case Greeting::kOther:
      return Fail(ErrorCode::kProtocolError, "no HTTP/2 preface: the peer speaks another protocol");
  }
}

void Session::Impl::OnStep(Step step) {
  switch (step) {
    case Step::kNeedInput:
      return;
    case Step::kBegin:
      return OnBegin();
    case Step::kFragment:
      return OnFragment();
    case Step::kControl:
      return OnControl();
    case Step::kTooLong:
      return Fail(ErrorCode::kFrameSizeError, "frame longer than SETTINGS_MAX_FRAME_SIZE");
    case Step::kTooShort:
      return Fail(ErrorCode::kFrameSizeError, "frame too short for its fields");
    case Step::kBadPadding:
      return Fail(ErrorCode::kProtocolError, "more padding than payload");
  }
}

void Session::Impl::OnBegin() {
  const FrameHeader& header = reader_.header();
  if (block_.kind != BlockKind::kNone &&
      (header.type != FrameType::kContinuation || header.stream_id != block_.id)) {
    return Fail(ErrorCode::kProtocolError, "header block interrupted by another frame");
  }
  if (!established_ && (header.type != FrameType::kSettings || header.has(flags::kAck))) {
    return Fail(ErrorCode::kProtocolError, "the first frame is not SETTINGS");
  }
  switch (header.type) {
    case FrameType::kData:
      return BeginData();
    case FrameType::kHeaders:
      return BeginHeaders();
    case FrameType::kPriority:
      return BeginPriority();
    case FrameType::kRstStream:
      return BeginRstStream();
    case FrameType::kSettings:
      return BeginSettings();
    case FrameType::kPushPromise:
      return Fail(ErrorCode::kProtocolError, "PUSH_PROMISE, which nobody allowed");
    case FrameType::kPing:
      if (header.stream_id != 0) return Fail(ErrorCode::kProtocolError, "PING on a stream");
      if (header.length != 8) return Fail(ErrorCode::kFrameSizeError, "PING of the wrong length");
      return;
    case FrameType::kGoAway:
      if (header.stream_id != 0) return Fail(ErrorCode::kProtocolError, "GOAWAY on a stream");
      if (header.length < 8) return Fail(ErrorCode::kFrameSizeError, "GOAWAY of the wrong length");
      return;
    case FrameType::kWindowUpdate:
      return BeginWindowUpdate();
    case FrameType::kContinuation:
      return BeginContinuation();
  }
  // An unknown type is ignored (RFC 9113 section 5.5); only empty ones cost us more than they cost
  // the peer.
  if (header.length == 0 && !guards_.EmptyUnknown(now_))
    FailLimit(Limit::kEmptyFrames, "too many empty frames");
}

void Session::Impl::OnFragment() {
  if (block_.kind != BlockKind::kNone) return OnBlockFragment();
  if (data_stream_ == nullptr) return;
  const bool end_stream = reader_.frame_done() && reader_.header().has(flags::kEndStream);
  StreamState& stream = *data_stream_;
  if (reader_.frame_done()) data_stream_ = nullptr;
  if (end_stream && !EndRemote(stream)) return;
  if (reader_.payload().empty() && !end_stream) return;
  Event& event = AddEvent(EventType::kData, &stream);
  event.data = reader_.payload();
  event.end_stream = end_stream;
}

void Session::Impl::OnControl() {
  const Bytes payload = reader_.payload();
  switch (reader_.header().type) {
    case FrameType::kPriority:
      if ((ReadU32(payload.data()) & kMaxStreamId) == reader_.header().stream_id) {
        // Of a stream that is not active there is nothing to reset.
        StreamState* stream = table_.Find(reader_.header().stream_id);
        if (stream != nullptr) return StreamError(*stream, ErrorCode::kProtocolError);
        Fail(ErrorCode::kProtocolError, "stream depends on itself");
      }
      return;
    case FrameType::kRstStream:
      return OnRstStream(payload);
    case FrameType::kSettings:
      return reader_.header().has(flags::kAck) ? OnSettingsAck() : OnSettings(payload);
    case FrameType::kPing:
      return OnPing(payload);
    case FrameType::kGoAway:
      return OnGoAway(payload);
    case FrameType::kWindowUpdate:
      return OnWindowUpdate(ReadU32(payload.data()) & kMaxWindowBytes);
    default:
      return;
  }
}

// ---- DATA ----

void Session::Impl::BeginData() {
  const FrameHeader& header = reader_.header();
  data_stream_ = nullptr;
  if (header.stream_id == 0) return Fail(ErrorCode::kProtocolError, "DATA on stream 0");
  if (IsIdle(header.stream_id)) return Fail(ErrorCode::kProtocolError, "DATA on an idle stream");
  if (!receive_window_.Receive(header.length)) {
    return Fail(ErrorCode::kFlowControlError, "DATA beyond the connection's window");
  }
  const uint32_t increment = receive_window_.Return(header.length);
  if (increment > 0) send_.WindowUpdate(0, increment + GrowConnectionWindow());
  if (reader_.content_bytes() == 0 && !header.has(flags::kEndStream) && !guards_.EmptyData(now_)) {
    return FailLimit(Limit::kEmptyFrames, "too many empty DATA frames");
  }
  StreamState* stream = table_.Find(header.stream_id);
  if (stream == nullptr) return OnFrameForClosed(header.stream_id, /*headers=*/false);
  if (AdmitData(*stream)) data_stream_ = stream;
}

bool Session::Impl::AdmitData(StreamState& stream) {
  auto refuse = [this, &stream](ErrorCode code) {
    StreamError(stream, code);
    return false;
  };
  if (stream.remote_closed()) return refuse(ErrorCode::kStreamClosed);
  if (!stream.headers_received) return refuse(ErrorCode::kProtocolError);
  if (!stream.receive_window.Receive(reader_.header().length))
    return refuse(ErrorCode::kFlowControlError);
  stream.received_body_bytes += reader_.content_bytes();
  if (stream.expected_body_bytes != StreamState::kUnknownLength &&
      stream.received_body_bytes > stream.expected_body_bytes) {
    return refuse(ErrorCode::kProtocolError);
  }
  if (reader_.overhead_bytes() > 0) Consume(stream, reader_.overhead_bytes());
  return true;
}

// ---- PRIORITY, RST_STREAM ----

void Session::Impl::BeginPriority() {
  const FrameHeader& header = reader_.header();
  if (header.stream_id == 0) return Fail(ErrorCode::kProtocolError, "PRIORITY on stream 0");
  if (!guards_.Priority(now_, table_.size()))
    return FailLimit(Limit::kPriorities, "too many PRIORITY frames");
  if (header.length == 5) return;
  reader_.SkipFrame();
  StreamState* stream = table_.Find(header.stream_id);
  if (stream != nullptr) return StreamError(*stream, ErrorCode::kFrameSizeError);
  Fail(ErrorCode::kFrameSizeError, "PRIORITY of the wrong length");
}

void Session::Impl::BeginRstStream() {
  const FrameHeader& header = reader_.header();
  if (header.stream_id == 0) return Fail(ErrorCode::kProtocolError, "RST_STREAM on stream 0");
  if (header.length != 4) return Fail(ErrorCode::kFrameSizeError, "RST_STREAM of the wrong length");
  if (IsIdle(header.stream_id))
    return Fail(ErrorCode::kProtocolError, "RST_STREAM on an idle stream");
}

void Session::Impl::OnRstStream(Bytes payload) {
  StreamState* stream = table_.Find(reader_.header().stream_id);
  if (!guards_.ResetByPeer(now_, /*active=*/stream != nullptr)) {
    return FailLimit(Limit::kResets, "too many RST_STREAM frames");
  }
  if (stream == nullptr) return;
  Deactivate(*stream, How::kResetByPeer);
  AddEvent(EventType::kReset, stream).error = static_cast<ErrorCode>(ReadU32(payload.data()));
}

// ---- SETTINGS, PING ----

void Session::Impl::BeginSettings() {
  const FrameHeader& header = reader_.header();
  if (header.stream_id != 0) return Fail(ErrorCode::kProtocolError, "SETTINGS on a stream");
  if (!guards_.Settings(now_)) return FailLimit(Limit::kSettings, "too many SETTINGS frames");
  if (header.has(flags::kAck) ? header.length != 0 : header.length % kSettingBytes != 0) {
    return Fail(ErrorCode::kFrameSizeError, "SETTINGS of the wrong length");
  }
  if (header.length > FrameReader::kControlBytes) {
    return FailLimit(Limit::kSettingsEntries, "too many entries in SETTINGS");
  }
}

void Session::Impl::OnSettings(Bytes payload) {
  const PeerSettings before = peer_;
  std::optional<ConnectionError> error = ApplySettings(payload, role_, peer_);
  if (error.has_value()) return Fail(error->code, error->detail);
  established_ = true;
  send_.SetHeaderTableBytes(peer_.header_table_bytes_min);
  send_.SetHeaderTableBytes(peer_.header_table_bytes);
  send_.SetMaxFrameBytes(peer_.max_frame_bytes);
  const int64_t delta = int64_t{peer_.initial_window_bytes} - int64_t{before.initial_window_bytes};
  bool overflow = false;
  if (delta != 0) {
    table_.ForEach([this, delta, &overflow](StreamState& stream) {
      overflow |= !send_.AddStreamWindow(stream, delta);
    });
  }
  if (overflow)
    return Fail(ErrorCode::kFlowControlError,
                "SETTINGS_INITIAL_WINDOW_SIZE makes a window overflow");
  send_.SettingsAck();
  AddEvent(EventType::kSettings, nullptr);
}

void Session::Impl::OnSettingsAck() {
  if (settings_acked_) return;
  settings_acked_ = true;
  if (local_initial_window_ == options_.stream_window_bytes) return;
  local_initial_window_ = options_.stream_window_bytes;
  table_.ForEach(
      [this](StreamState& stream) { stream.receive_window.Resize(local_initial_window_); });
}

void Session::Impl::OnPing(Bytes payload) {
  const uint64_t opaque = ReadU64(payload.data());
  if (reader_.header().has(flags::kAck) && pings_unanswered_ > 0) {
    --pings_unanswered_;
    AddEvent(EventType::kPingAck, nullptr).opaque = opaque;
    return;
  }
  if (!guards_.Ping(now_)) return FailLimit(Limit::kPings, "too many PING frames");
  if (!reader_.header().has(flags::kAck)) send_.Ping(opaque, /*ack=*/true);
}

// ---- GOAWAY, WINDOW_UPDATE ----

void Session::Impl::OnGoAway(Bytes payload) {
  const StreamId last = ReadU32(payload.data()) & kMaxStreamId;
  if (!guards_.Settings(now_)) return FailLimit(Limit::kGoAways, "too many GOAWAY frames");
  goaway_received_ = true;
  Event& event = AddEvent(EventType::kGoAway, nullptr);
  event.error = static_cast<ErrorCode>(ReadU32(payload.data() + 4));
  event.last_stream_id = last;
  event.data = KeepForBatch(payload.subspan(8));
  if (role_ == Role::kServer) return;
  // By the list of streams, since refusing takes them out of the table.
  for (StreamState* stream = streams_; stream != nullptr; stream = stream->list_next) {
    if (stream->closed() || stream->id_ <= last) continue;
    Deactivate(*stream, How::kResetByUs);  // the peer may still answer what it says it has not seen
    AddEvent(EventType::kReset, stream).error = ErrorCode::kRefusedStream;
  }
}

void Session::Impl::BeginWindowUpdate() {
  const FrameHeader& header = reader_.header();
  if (header.length != 4)
    return Fail(ErrorCode::kFrameSizeError, "WINDOW_UPDATE of the wrong length");
  if (header.stream_id != 0 && IsIdle(header.stream_id)) {
    return Fail(ErrorCode::kProtocolError, "WINDOW_UPDATE on an idle stream");
  }
  if (!guards_.WindowUpdate(now_))
    FailLimit(Limit::kWindowUpdates, "too many WINDOW_UPDATE frames");
}

void Session::Impl::OnWindowUpdate(uint32_t increment) {
  const StreamId id = reader_.header().stream_id;
  if (id == 0) {
    if (increment == 0) return Fail(ErrorCode::kProtocolError, "WINDOW_UPDATE of zero");
    if (!send_.AddConnectionWindow(increment))
      Fail(ErrorCode::kFlowControlError, "the connection's window overflows");
    return;
  }
  StreamState* stream = table_.Find(id);
  if (stream == nullptr) return;  // may have crossed the end of the stream
  if (increment == 0) return StreamError(*stream, ErrorCode::kProtocolError);
  if (!send_.AddStreamWindow(*stream, increment))
    StreamError(*stream, ErrorCode::kFlowControlError);
}

}  // namespace pinion::http2
