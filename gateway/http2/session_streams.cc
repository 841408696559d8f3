// Streams from their first frame to their release, and the connection from preface to GOAWAY.
#include <algorithm>
#include <utility>

#include "base/check.h"
#include "gateway/http2/session_impl.h"

namespace pinion::http2 {

Session::Impl::Impl(Role role, const Options& options, SlabPool& pool, LimitCounters* limits)
    : role_(role),
      options_(options),
      pool_(pool),
      limits_(limits),
      send_(pool, options.output_high_watermark_bytes),
      reader_(options.max_frame_bytes),
      decoder_(pool.scratch()),
      guards_(role),
      receive_window_(std::max(options.connection_window_bytes, kDefaultWindowBytes)),
      // Until the peer has acknowledged a smaller window it may use the default one.
      local_initial_window_(std::max(options.stream_window_bytes, kDefaultWindowBytes)),
      next_id_(options.first_stream_id) {
  if (role == Role::kClient) SayHello();
}

Session::Impl::~Impl() {
  while (streams_ != nullptr) FreeStream(streams_);
  while (released_ != nullptr) {
    StreamState* next = released_->list_next;
    pool_.streams().Put(std::unique_ptr<StreamState>(released_));
    released_ = next;
  }
}

// ---- events ----

absl::Span<const Event> Session::Impl::events() const {
  return batch_ == nullptr ? absl::Span<const Event>() : absl::MakeConstSpan(batch_->events);
}

void Session::Impl::OpenBatch() {
  if (batch_ != nullptr) return;
  batch_ = pool_.event_batches().Take();
  ++batch_number_;
}

void Session::Impl::ReleaseEvents() {
  if (batch_ == nullptr) return;
  for (std::unique_ptr<HeaderBlock>& block : batch_->blocks) {
    block->Clear();
    pool_.header_blocks().Put(std::move(block));
  }
  batch_->blocks.clear();
  batch_->events.clear();
  batch_->next_of_stream.clear();
  pool_.event_batches().Put(std::move(batch_));
  batch_decoded_bytes_ = 0;
  while (released_ != nullptr) {
    StreamState* next = released_->list_next;
    pool_.streams().Put(std::unique_ptr<StreamState>(released_));
    released_ = next;
  }
}

Event& Session::Impl::AddEvent(EventType type, StreamState* stream) {
  const auto index = static_cast<uint32_t>(batch_->events.size());
  Event& event = batch_->events.emplace_back();
  batch_->next_of_stream.push_back(0);
  event.type = type;
  event.stream = stream;
  if (stream == nullptr) return event;
  __builtin_prefetch(stream->user_);  // who hears of it when the batch is whole
  if (stream->batch == batch_number_) {
    batch_->next_of_stream[stream->last_event] = index;
  } else {
    stream->batch = batch_number_;
    stream->first_event = index;
  }
  stream->last_event = index;
  return event;
}

void Session::Impl::TakeBackEvents(StreamState& stream) {
  if (batch_ == nullptr || stream.batch != batch_number_) return;
  uint32_t i = stream.first_event;
  do {
    batch_->events[i].type = EventType::kNone;
    i = batch_->next_of_stream[i];
  } while (i != 0);
}

Bytes Session::Impl::KeepForBatch(Bytes bytes) {
  std::unique_ptr<HeaderBlock> block = pool_.header_blocks().Take();
  block->Add({}, {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  const absl::string_view copy = block->fields().front().value;
  batch_->blocks.push_back(std::move(block));
  return Bytes(reinterpret_cast<const uint8_t*>(copy.data()), copy.size());
}

// ---- streams ----

StreamState* Session::Impl::NewStream(StreamId id) {
  StreamState* stream = pool_.streams().Take().release();
  *stream = StreamState();
  stream->id_ = id;
  stream->send_window = SendWindow(peer_.initial_window_bytes);
  stream->receive_window = ReceiveWindow(local_initial_window_);
  stream->list_next = streams_;
  if (streams_ != nullptr) streams_->list_prev = stream;
  streams_ = stream;
  table_.Insert(stream);
  guards_.OnStreamOpened();
  return stream;
}

void Session::Impl::FreeStream(StreamState* stream) {
  pool_.window_budget().Give(stream->receive_window.grown());
  (stream->list_prev == nullptr ? streams_ : stream->list_prev->list_next) = stream->list_next;
  if (stream->list_next != nullptr) stream->list_next->list_prev = stream->list_prev;
  if (batch_ == nullptr) {
    pool_.streams().Put(std::unique_ptr<StreamState>(stream));
    return;
  }
  stream->list_next = released_;  // events of the batch still point to it
  released_ = stream;
}

bool Session::Impl::IsIdle(StreamId id) const {
  if (id % 2 == 0) return true;  // a server that never pushes has no streams of its own
  return role_ == Role::kServer ? id > peer_highest_id_ : id >= next_id_;
}

void Session::Impl::OnFrameForClosed(StreamId id, bool headers) {
  switch (closed_.Find(id)) {
    case How::kResetByUs:
      return;
    case How::kClean:
      return Fail(ErrorCode::kStreamClosed, "frame on a stream that has ended");
    case How::kResetByPeer:
      return StreamError(id, ErrorCode::kStreamClosed);
    case How::kForgotten:
      if (headers && role_ == Role::kServer)
        return Fail(ErrorCode::kProtocolError, "stream id not above earlier ones");
      return StreamError(id, ErrorCode::kStreamClosed);
  }
}

bool Session::Impl::EndRemote(StreamState& stream) {
  if (stream.expected_body_bytes != StreamState::kUnknownLength &&
      stream.expected_body_bytes != stream.received_body_bytes) {
    StreamError(stream, ErrorCode::kProtocolError);
    return false;
  }
  stream.remote_closed_ = true;
  CloseIfEnded(stream);
  return true;
}

void Session::Impl::CloseIfEnded(StreamState& stream) {
  if (!stream.closed()) return;
  guards_.OnStreamCompleted();
  Deactivate(stream, How::kClean);
}

void Session::Impl::Deactivate(StreamState& stream, How how) {
  stream.remote_closed_ = stream.local_closed_ = true;
  send_.Forget(stream);
  table_.Erase(stream.id_);
  closed_.Add(stream.id_, how);
  if (data_stream_ == &stream) data_stream_ = nullptr;
  if (block_.stream == &stream) {
    block_.stream = nullptr;
    block_.kind = BlockKind::kDiscarded;
  }
}

void Session::Impl::StreamError(StreamState& stream, ErrorCode code) {
  send_.RstStream(stream.id_, code);
  Deactivate(stream, How::kResetByUs);
  Event& event = AddEvent(EventType::kReset, &stream);
  event.error = code;
  event.reset_by_us = true;
  if (!guards_.ResetByUs(now_, /*active=*/true))
    FailLimit(Limit::kFaultyStreams, "too many faulty streams");
}

void Session::Impl::StreamError(StreamId id, ErrorCode code) {
  send_.RstStream(id, code);
  closed_.Add(id, How::kResetByUs);
  if (!guards_.ResetByUs(now_, /*active=*/false))
    FailLimit(Limit::kFaultyStreams, "too many faulty streams");
}

Stream* Session::Impl::OpenStream(absl::Span<const HeaderField> fields, bool end_stream,
                                  void* user) {
  DCHECK(role_ == Role::kClient);
  if (!CanOpenStream()) return nullptr;
  StreamState* stream = NewStream(next_id_);
  next_id_ += 2;
  stream->user_ = user;
  for (const HeaderField& field : fields) {
    if (field.name == ":method") stream->is_head = field.value == "HEAD";
  }
  SendHeaders(*stream, fields, end_stream);
  return stream;
}

bool Session::Impl::CanOpenStream() const {
  return !failed_ && !going_away() && next_id_ <= kMaxStreamId &&
         table_.size() < peer_max_concurrent_streams();
}

uint32_t Session::Impl::peer_max_concurrent_streams() const {
  return established_ ? peer_.max_concurrent_streams : options_.assumed_peer_max_streams;
}

void Session::Impl::SendHeaders(StreamState& stream, absl::Span<const HeaderField> fields,
                                bool end_stream) {
  if (stream.local_closed_) return;
  send_.HeaderBlockFrames(stream.id_, fields, end_stream);
  if (!end_stream) return;
  stream.local_closed_ = true;
  send_.Forget(stream);
  CloseIfEnded(stream);
}

size_t Session::Impl::SendData(StreamState& stream, Bytes bytes, bool end_stream) {
  if (stream.local_closed_) return bytes.size();
  uint32_t frames = 0;
  const size_t taken = send_.Data(stream, bytes, end_stream, frames);
  guards_.OnDataSent(frames);
  if (end_stream && taken == bytes.size()) {
    stream.local_closed_ = true;
    send_.Forget(stream);
    CloseIfEnded(stream);
  }
  return taken;
}

void Session::Impl::Reset(StreamState& stream, ErrorCode code) {
  TakeBackEvents(stream);
  if (stream.closed()) return;
  if (role_ == Role::kClient) {
    send_.Cancel(stream.id_, code);
  } else {
    send_.RstStream(stream.id_, code);
  }
  if (code == ErrorCode::kNoError) guards_.OnStreamCompleted();  // an early response is a whole one
  Deactivate(stream, How::kResetByUs);
}

void Session::Impl::Consume(StreamState& stream, size_t bytes) {
  if (stream.remote_closed_) return;
  const uint32_t increment = stream.receive_window.Return(static_cast<uint32_t>(bytes));
  if (increment > 0) send_.WindowUpdate(stream.id_, increment + GrowStreamWindow(stream));
}

uint32_t Session::Impl::GrowStreamWindow(StreamState& stream) {
  // Outside of a batch the reader was slower than the sender: more would only fill its buffer.
  if (batch_ == nullptr || !stream.window_pace.Starved(now_, round_trip_)) return 0;
  const uint32_t growth = stream.receive_window.size();
  if (2 * uint64_t{growth} > options_.stream_window_bytes_max) return 0;
  if (!pool_.window_budget().Take(growth)) return 0;
  stream.receive_window.Grow(growth);
  return growth;
}

// Costs no memory: the streams' windows bound what is held.
uint32_t Session::Impl::GrowConnectionWindow() {
  if (!window_pace_.Starved(now_, round_trip_)) return 0;
  const uint32_t size = receive_window_.size();
  if (size >= options_.connection_window_bytes_max) return 0;
  const uint32_t growth = std::min(size, options_.connection_window_bytes_max - size);
  receive_window_.Grow(growth);
  return growth;
}

void Session::Impl::Release(StreamState& stream, ErrorCode code) {
  CHECK(!stream.released);
  Reset(stream, code);
  stream.released = true;
  stream.user_ = nullptr;
  FreeStream(&stream);
}

// ---- the connection ----

// Our preface, once. A server keeps it until it knows that the client speaks HTTP/2: one of HTTP/1
// would take it for its answer.
void Session::Impl::SayHello() {
  if (std::exchange(greeted_, true)) return;
  if (role_ == Role::kClient) send_.Preface();
  send_.Settings(InitialSettings(role_, options_));
  if (options_.connection_window_bytes > kDefaultWindowBytes) {
    send_.WindowUpdate(0, options_.connection_window_bytes - kDefaultWindowBytes);
  }
}

void Session::Impl::Ping(uint64_t opaque) {
  if (failed_) return;
  SayHello();
  ++pings_unanswered_;
  send_.Ping(opaque, /*ack=*/false);
}

void Session::Impl::GoAwayNotice() {
  if (failed_ || goaway_sent_) return;
  SayHello();
  send_.GoAway(kMaxStreamId, ErrorCode::kNoError, "");
}

void Session::Impl::GoAwayFinal(ErrorCode code, absl::string_view debug) {
  if (failed_ || goaway_sent_) return;
  goaway_sent_ = true;
  SayHello();
  send_.GoAway(peer_highest_id_, code, debug);
}

void Session::Impl::Fail(ErrorCode code, absl::string_view detail) {
  if (failed_) return;
  SayHello();
  send_.GoAway(peer_highest_id_, code, detail);
  EndAll(code, detail);
}

void Session::Impl::FailLimit(Limit limit, absl::string_view detail) {
  if (failed_) return;
  Count(limit);
  Fail(ErrorCode::kEnhanceYourCalm, detail);
}

void Session::Impl::Abandon(absl::string_view why) {
  if (failed_) return;
  OpenBatch();
  EndAll(ErrorCode::kInternalError, why);
}

void Session::Impl::EndAll(ErrorCode code, absl::string_view detail) {
  failed_ = true;
  failure_ = code;
  failure_detail_ = std::string(detail);
  block_.stream = nullptr;
  data_stream_ = nullptr;
  table_.ForEach([this, code](StreamState& stream) {
    stream.remote_closed_ = stream.local_closed_ = true;
    send_.Forget(stream);
    Event& event = AddEvent(EventType::kReset, &stream);
    event.error = code;
    event.reset_by_us = true;
  });
  table_.Clear();
}

}  // namespace pinion::http2
