// One call as a SimServer handles it. Part of sim_server.cc, split off for its size.
#pragma once

#include <functional>

#include "gateway/http2/session.h"
#include "gateway/net/event_loop.h"
#include "gateway/net/timer_queue.h"
#include "gateway/transport/connection.h"
#include "tests/testing/body_flow.h"
#include "tests/testing/call_plan.h"
#include "tests/testing/sim_server.h"

namespace pinion::testing {

// waiting for start_at_request_byte → delay → answering → (reading on) → over
class SimServer::Call final : public net::Deferred {
 public:
  // `attempt` outlives the call. `on_over` is called once, when the call is done with its stream,
  // from within any of the other functions.
  Call(net::EventLoop& loop, transport::Connection& connection, http2::Stream& stream,
       const CallPlan& plan, AttemptRecord& attempt, std::function<void(Call&)> on_over);

  // After construction: the request's header block was the one that began the stream.
  void Begin(bool end_stream);
  void OnEvent(const http2::Event& event);
  void OnWritable();

 private:
  void OnRequestEnd();
  void MaybeStart();
  void Answer();
  void Fail();
  void SendHeaders(bool end_stream, int http_status, const char* content_type);
  void SendTrailers();
  void OnBodySent();
  void OnAnswered();
  void End(AttemptRecord::End end, http2::ErrorCode code = http2::ErrorCode::kNoError);

  net::EventLoop& loop_;
  transport::Connection& connection_;
  http2::Stream* stream_;  // null: over
  const CallPlan& plan_;
  AttemptRecord& attempt_;
  const std::function<void(Call&)> on_over_;
  net::Timer delay_;
  BodySender sender_;
  BodyReader reader_;
  SendPlan cut_body_;  // of a call that is reset on the way
  bool start_due_ = false;
};

}  // namespace pinion::testing
