#include "tests/testing/body_flow.h"

#include <algorithm>
#include <utility>

namespace pinion::testing {
namespace {

http2::Bytes AsBytes(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

}  // namespace

BodySender::BodySender(net::EventLoop& loop, transport::Connection& connection,
                       std::function<void()> done)
    : loop_(loop),
      connection_(connection),
      done_(std::move(done)),
      pause_(
          loop.timers(), [](void* self) { static_cast<BodySender*>(self)->Continue(); }, this) {}

void BodySender::Start(http2::Stream& stream, const SendPlan& plan, bool end_stream) {
  stream_ = &stream;
  plan_ = &plan;
  end_stream_ = end_stream;
  Pump();
}

void BodySender::StartEcho(http2::Stream& stream) {
  stream_ = &stream;
  echoing_ = true;
  Pump();
}

void BodySender::Append(http2::Bytes bytes) {
  echo_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (echoing_) Pump();
}

void BodySender::FinishAppending() {
  echo_ended_ = true;
  if (echoing_) Pump();
}

void BodySender::Continue() {
  pausing_ = false;
  Pump();
}

// How many of the plan's bytes may have been offered by now.
uint64_t BodySender::Allowed() {
  while (next_pause_ < plan_->pauses.size() && plan_->pauses[next_pause_].at_byte <= sent_) {
    pause_.Arm(loop_.now() + plan_->pauses[next_pause_++].duration);
    pausing_ = true;
    return sent_;
  }
  if (next_pause_ == plan_->pauses.size()) return plan_->bytes.size();
  return std::min<uint64_t>(plan_->pauses[next_pause_].at_byte, plan_->bytes.size());
}

void BodySender::Pump() {
  if (stream_ == nullptr || pausing_) return;
  // Reset, and its user hears so later in this batch of events: the session would take everything.
  if (stream_->local_closed()) return;
  http2::Session& session = connection_.session();
  if (echoing_) {
    const size_t taken = session.SendData(*stream_, AsBytes(echo_), false);
    sent_ += taken;
    echo_.erase(0, taken);
    if (echo_.empty() && echo_ended_) {
      stream_ = nullptr;
      done_();
    }
    return;
  }
  const uint64_t all = plan_->bytes.size();
  while (true) {
    const uint64_t allowed = Allowed();
    if (pausing_) return;
    const bool last = next_pause_ == plan_->pauses.size() && end_stream_ && !plan_->end_alone;
    const std::string_view offered = std::string_view(plan_->bytes).substr(sent_, allowed - sent_);
    // An empty DATA frame without END_STREAM says nothing.
    if (!offered.empty() || last) {
      const size_t taken = session.SendData(*stream_, AsBytes(offered), last);
      sent_ += taken;
      if (taken < offered.size()) return;
    }
    if (sent_ == all && next_pause_ == plan_->pauses.size()) break;
  }
  if (end_stream_ && plan_->end_alone) session.SendData(*stream_, {}, true);
  stream_ = nullptr;
  done_();
}

void BodySender::Stop() {
  stream_ = nullptr;
  pause_.Cancel();
}

BodyReader::BodyReader(net::EventLoop& loop, transport::Connection& connection,
                       const ReadPlan& plan)
    : loop_(loop),
      connection_(connection),
      plan_(plan),
      pause_(
          loop.timers(), [](void* self) { static_cast<BodyReader*>(self)->ConsumeAllowed(); },
          this) {}

bool BodyReader::Receive(http2::Stream& stream, http2::Bytes bytes, std::string& body,
                         std::string_view expected) {
  stream_ = &stream;
  const size_t before = body.size();
  body.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  received_ += bytes.size();
  if (!pause_.armed()) ConsumeAllowed();
  return body.size() <= expected.size() &&
         std::string_view(body).substr(before) == expected.substr(before, bytes.size());
}

void BodyReader::ConsumeAllowed() {
  if (stream_ == nullptr) return;
  uint64_t allowed = received_;
  if (next_pause_ < plan_.pauses.size() && plan_.pauses[next_pause_].at_byte < received_) {
    allowed = std::max(consumed_, plan_.pauses[next_pause_].at_byte);
    pause_.Arm(loop_.now() + plan_.pauses[next_pause_++].duration);
  }
  if (allowed > consumed_) connection_.session().Consume(*stream_, allowed - consumed_);
  consumed_ = allowed;
}

void BodyReader::Stop() {
  stream_ = nullptr;
  pause_.Cancel();
}

}  // namespace pinion::testing
