#include "gateway/upstream/connection.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "gateway/upstream/instance.h"

namespace pinion::upstream {

Connection::Connection(transport::Shared& shared, const Options& options,
                       std::unique_ptr<net::ByteStream> stream, Instance& instance)
    : options_(options),
      instance_(instance),
      loop_(shared.loop),
      transport_(shared, std::move(stream), http2::Role::kClient, options.http2, *this),
      timer_(
          shared.loop.timers(), [](void* self) { static_cast<Connection*>(self)->OnTimer(); },
          this),
      keepalive_(
          shared.loop.timers(), [](void* self) { static_cast<Connection*>(self)->OnKeepalive(); },
          this) {
  timer_.Arm(loop_.now() + options.connect_timeout);
}

http2::Stream* Connection::Open(absl::Span<const http2::HeaderField> fields, bool end_stream,
                                Caller& caller) {
  if (!CanOpen()) return nullptr;
  http2::Stream* stream = transport_.session().OpenStream(fields, end_stream, &caller);
  if (stream == nullptr) return nullptr;
  served_ = true;
  instance_.OnCallStarted();
  return stream;
}

void Connection::Release(http2::Stream& stream, http2::ErrorCode code) {
  const bool resets = !stream.closed();
  stream.set_user(nullptr);  // what the running batch still holds for it is nobody's
  transport_.session().Release(stream, code);
  instance_.OnCallEnded();
  if (resets) CountReset();
  if (state_ == State::kReady) {
    instance_.OnStreamFree();
    if (!HasCalls()) timer_.Arm(loop_.now() + options_.idle_timeout);
  } else {
    CloseIfDrained();
  }
}

// Each further burst asks anew: the replacement may have failed.
void Connection::CountReset() {
  if (state_ != State::kReady || resets_.Take(loop_.now())) return;
  resets_.Give(limits::kResetsSentBurst);
  worn_ = true;
  instance_.OnConnectionWorn();
}

void Connection::Drain(absl::string_view why) {
  if (state_ == State::kDraining || state_ == State::kClosed) return;
  state_ = State::kDraining;
  instance_.OnConnectionDraining();
  draining_why_ = std::string(why);
  CloseIfDrained();
}

void Connection::CloseIfDrained() {
  if (state_ == State::kDraining && !HasCalls()) transport_.Close(draining_why_);
}

void Connection::OnEvent(const http2::Event& event) {
  if (event.stream != nullptr) {
    auto* caller = static_cast<Caller*>(event.stream->user());
    if (caller != nullptr) caller->OnUpstreamEvent(event);
  } else if (event.type == http2::EventType::kSettings) {
    OnSettings();
  } else if (event.type == http2::EventType::kGoAway) {
    Drain("the instance said GOAWAY");
    if (served_) instance_.OnConnectionUnusable();
  }
}

void Connection::OnSettings() {
  if (state_ == State::kConnecting) {
    state_ = State::kReady;
    instance_.OnConnectionReady();
    timer_.Arm(loop_.now() + options_.idle_timeout);
    if (options_.keepalive_interval != absl::InfiniteDuration()) {
      keepalive_.Arm(loop_.now() + options_.keepalive_interval);
    }
  }
  if (state_ == State::kReady) instance_.OnStreamFree();
}

void Connection::OnWritable(http2::Stream& stream) {
  static_cast<Caller*>(stream.user())->OnUpstreamWritable();
}

void Connection::OnOutputWritten() {
  if (CanOpen()) instance_.OnStreamFree();
}

void Connection::OnTimer() {
  if (state_ == State::kConnecting) {
    instance_.CountLimit(http2::Limit::kConnectTimeout);
    transport_.Close(absl::StrCat("no HTTP/2 connection within ",
                                  absl::FormatDuration(options_.connect_timeout)));
  } else if (state_ == State::kReady && !HasCalls()) {
    Drain("idle");
  }
}

// Whatever arrives answers the question whether the instance is still there. Without calls nobody
// asks it: servers mind (gRFC A8).
void Connection::OnKeepalive() {
  const absl::Time heard = std::as_const(transport_).last_read();
  if (pinged_at_ > heard) return transport_.Drop("no answer to PING");
  pinged_at_ = absl::InfinitePast();
  const absl::Time due = heard + options_.keepalive_interval;
  if (due > loop_.now()) return keepalive_.Arm(due);
  if (!HasCalls()) return keepalive_.Arm(loop_.now() + options_.keepalive_interval);
  pinged_at_ = loop_.now();
  transport_.session().Ping(0);
  keepalive_.Arm(loop_.now() + options_.keepalive_timeout);
}

void Connection::OnClosed(absl::string_view why) {
  if (std::exchange(state_, State::kClosed) == State::kDraining) instance_.OnConnectionDrained();
  timer_.Cancel();
  keepalive_.Cancel();
  instance_.OnConnectionClosed(*this, why);
}

}  // namespace pinion::upstream
