#include "gateway/transport/connection.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gateway/limits.h"

namespace pinion::transport {

Shared::Shared(net::EventLoop& loop)
    : loop(loop),
      tls(loop),
      read_buffer(std::make_unique_for_overwrite<uint8_t[]>(limits::kReadBufferBytes)) {}

Connection::Connection(Shared& shared, std::unique_ptr<net::ByteStream> stream, http2::Role role,
                       const http2::Options& options, Handler& handler)
    : shared_(shared),
      handler_(handler),
      stream_(std::move(stream)),
      session_(std::make_unique<http2::Session>(role, options, shared.slabs, &shared.limits)),
      peer_(stream_->peer()),
      patience_(
          shared.loop.timers(),
          [](void* self) { static_cast<Connection*>(self)->OnPatienceEnded(); }, this),
      headers_due_(
          shared.loop.timers(), [](void* self) { static_cast<Connection*>(self)->OnHeadersDue(); },
          this),
      last_read_(shared.loop.now()) {
  stream_->SetObserver(this);
  shared_.loop.AtEndOfTurn(*this);  // the preface and SETTINGS
}

Connection::~Connection() = default;

void Connection::Close(absl::string_view why) {
  if (closed_ || closing_) return;
  closing_ = true;
  closing_why_ = std::string(why);
  shared_.loop.AtEndOfTurn(*this);
}

void Connection::OnReadable() {
  if (lingering_) return Discard();
  // A busy peer gets a few reads a turn; then the others come first.
  const http2::StreamId before = session_->last_peer_stream_id();
  for (int i = 0; i < limits::kReadsPerTurn; ++i) {
    const bool more = ReadOnce();
    if (closed_) return;
    const uint32_t begun = (session_->last_peer_stream_id() - before) / 2;
    if (begun > limits::kStreamsPerTurn) {
      read_bytes_ = std::max(read_bytes_ / 2, limits::kReadBytesMin);
      if (more) break;
    } else if (begun <= limits::kStreamsPerTurn / 4) {
      read_bytes_ = std::min(read_bytes_ * 2, limits::kReadBufferBytes);
    }
    if (!more) return;
  }
  stream_->WakeAgain();
}

void Connection::OnWritable() {
  write_blocked_ = false;
  shared_.loop.AtEndOfTurn(*this);
}

// True: there may be more to read at once.
bool Connection::ReadOnce() {
  const absl::Span<uint8_t> buffer(shared_.read_buffer.get(), read_bytes_);
  const net::IoResult result = stream_->Read(buffer);
  switch (result.state) {
    case net::IoState::kBlocked:
      return false;
    case net::IoState::kEof:
      Finish("closed by the peer");
      return false;
    case net::IoState::kFailed:
      Finish(stream_->error());
      return false;
    case net::IoState::kOk:
      break;
  }
  last_read_ = shared_.loop.now();
  MeasureRoundTrip(result.bytes);
  Feed(buffer.first(result.bytes));
  return result.bytes == buffer.size();
}

void Connection::MeasureRoundTrip(size_t bytes_read) {
  read_since_measured_ += bytes_read;
  if (read_since_measured_ < limits::kRoundTripBytes) return;
  if (last_read_ < round_trip_measured_ + limits::kRoundTripInterval) return;
  round_trip_measured_ = last_read_;
  read_since_measured_ = 0;
  session_->SetRoundTrip(stream_->RoundTrip());
}

void Connection::Feed(http2::Bytes bytes) {
  shared_.loop.AtEndOfTurn(*this);
  while (!bytes.empty()) {
    bytes.remove_prefix(session_->Receive(bytes, shared_.loop.now()));
    DeliverEvents();
  }
  WatchForHeaders();
}

void Connection::DeliverEvents() {
  for (const http2::Event& event : session_->events()) handler_.OnEvent(event);
  session_->ReleaseEvents();
}

void Connection::RunAtEndOfTurn() {
  if (closed_ || lingering_) return;
  // Or what the streams still bring would keep it open.
  if (closing_) EndStreams(closing_why_);
  do {
    Pump();
  } while (!write_blocked_ && WriteSome());
  if (closed_) return;
  WatchWindow();
  WatchForStall(write_blocked_);
  // Last words are for a peer to whom anything was said: not for one that is not there yet.
  const http2::OutputBuffer& output = session_->output();
  if (closing_ && output.size() == output.appended()) return Finish(closing_why_);
  if (!output.empty()) return;
  if (session_->failed())
    Linger(session_->failure_detail());
  else if (closing_)
    Linger(closing_why_);
}

void Connection::Pump() {
  while (http2::Stream* stream = session_->NextWritable()) handler_.OnWritable(*stream);
}

// As Write(); and whoever waits for an output that was full hears of it.
bool Connection::WriteSome() {
  const bool much = unwritten_bytes() >= limits::kOutputHighWatermarkBytes;
  const bool all = Write();
  if (much && !closed_) handler_.OnOutputWritten();
  return all;
}

// True: everything was written, so that streams held back by a full output may go on.
bool Connection::Write() {
  http2::OutputBuffer& output = session_->output();
  const bool any = !output.empty();
  while (!output.empty()) {
    http2::Bytes pieces[net::kWritePiecesMax];
    const size_t count = output.Peek(absl::MakeSpan(pieces));
    const net::IoResult result = stream_->Write(absl::MakeSpan(pieces, count));
    if (result.state == net::IoState::kFailed) {
      Finish(stream_->error());
      return false;
    }
    size_t asked = 0;
    for (size_t i = 0; i < count; ++i) asked += pieces[i].size();
    output.Consume(result.bytes);
    if (result.bytes > 0) patience_.Cancel();
    if (result.state == net::IoState::kBlocked || result.bytes < asked) {
      write_blocked_ = true;
      return false;
    }
  }
  return any;
}

void Connection::WatchWindow() {
  if (session_->send_window_open()) {
    send_window_shut_since_ = absl::InfiniteFuture();
  } else if (send_window_shut_since_ == absl::InfiniteFuture()) {
    send_window_shut_since_ = shared_.loop.now();
  }
}

void Connection::WatchForStall(bool stalled) {
  if (!stalled) return patience_.Cancel();
  if (!patience_.armed()) patience_.Arm(shared_.loop.now() + limits::kWriteStallMax);
}

void Connection::OnPatienceEnded() {
  if (!lingering_) shared_.limits.Add(http2::Limit::kWriteStall);
  Finish(lingering_ ? closing_why_ : "the peer read nothing for too long");
}

// Not cancelled by a block's end: most reads of a busy peer end within one, and each within
// another.
void Connection::WatchForHeaders() {
  if (headers_due_.armed()) return;
  const absl::Time since = session_->header_block_since();
  if (since != absl::InfiniteFuture()) headers_due_.Arm(since + limits::kHeaderArrivalMax);
}

void Connection::OnHeadersDue() {
  if (closed_ || closing_ || lingering_) return;
  if (session_->header_block_since() + limits::kHeaderArrivalMax > shared_.loop.now()) {
    return WatchForHeaders();
  }
  constexpr absl::string_view kWhy = "a header block took too long to arrive";
  shared_.limits.Add(http2::Limit::kHeaderArrival);
  session().GoAwayFinal(http2::ErrorCode::kEnhanceYourCalm, kWhy);
  Close(kWhy);
}

// Closing with unread bytes makes the kernel send a reset, which can overtake our GOAWAY on its way
// to the peer: so the sending side ends first, and what the peer still sends is dropped until it
// closes too.
void Connection::Linger(absl::string_view why) {
  lingering_ = true;
  closing_why_ = std::string(why);
  EndStreams(closing_why_);
  stream_->FinishSending();
  patience_.Arm(shared_.loop.now() + limits::kLinger);
  Discard();
}

// Nothing when they have ended.
void Connection::EndStreams(absl::string_view why) {
  session_->Abandon(why);
  DeliverEvents();
}

void Connection::Discard() {
  const absl::Span<uint8_t> buffer(shared_.read_buffer.get(), limits::kReadBufferBytes);
  for (int i = 0; i < limits::kReadsPerTurn; ++i) {
    const net::IoResult result = stream_->Read(buffer);
    if (result.state == net::IoState::kBlocked) return;
    if (result.state != net::IoState::kOk) return Finish(closing_why_);
    if (result.bytes < buffer.size()) return;
  }
  stream_->WakeAgain();
}

void Connection::Finish(absl::string_view why) {
  if (std::exchange(closed_, true)) return;
  patience_.Cancel();
  headers_due_.Cancel();
  const std::string reason(why);
  if (!lingering_) EndStreams(reason);
  stream_.reset();
  handler_.OnClosed(reason);
}

}  // namespace pinion::transport
