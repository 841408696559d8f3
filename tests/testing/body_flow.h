// How a test peer sends and reads the bytes of one stream as its plan says. Parts of SimClient's
// and SimServer's calls; the loop's thread.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "gateway/http2/session.h"
#include "gateway/net/event_loop.h"
#include "gateway/net/timer_queue.h"
#include "gateway/transport/connection.h"
#include "tests/testing/call_plan.h"

namespace pinion::testing {

class BodySender {
 public:
  // `done` is called once, when everything was taken by the session; it may destroy nothing.
  BodySender(net::EventLoop& loop, transport::Connection& connection, std::function<void()> done);

  // Sends the plan's bytes; at their end END_STREAM if `end_stream`. `plan` outlives the sender.
  void Start(http2::Stream& stream, const SendPlan& plan, bool end_stream);

  // Sends what Append() brings, until FinishAppending(). No END_STREAM.
  void StartEcho(http2::Stream& stream);
  void Append(http2::Bytes bytes);
  void FinishAppending();

  // After Stream's turn came, see Session::NextWritable().
  void Pump();

  // Touches the stream no more; `done` will not be called.
  void Stop();

  uint64_t sent() const { return sent_; }

 private:
  void Continue();
  uint64_t Allowed();

  net::EventLoop& loop_;
  transport::Connection& connection_;
  std::function<void()> done_;
  net::Timer pause_;
  http2::Stream* stream_ = nullptr;  // null: not started, or over
  const SendPlan* plan_ = nullptr;
  std::string echo_;  // not yet taken
  bool echoing_ = false;
  bool echo_ended_ = false;
  bool end_stream_ = false;
  size_t next_pause_ = 0;
  bool pausing_ = false;
  uint64_t sent_ = 0;
};

class BodyReader {
 public:
  BodyReader(net::EventLoop& loop, transport::Connection& connection, const ReadPlan& plan);

  // Appends to `body` and opens the window again when the plan says so. False: `body` is no prefix
  // of `expected`. Only what is new is compared.
  bool Receive(http2::Stream& stream, http2::Bytes bytes, std::string& body,
               std::string_view expected);

  // Touches the stream no more.
  void Stop();

 private:
  void ConsumeAllowed();

  net::EventLoop& loop_;
  transport::Connection& connection_;
  const ReadPlan& plan_;
  net::Timer pause_;
  http2::Stream* stream_ = nullptr;
  size_t next_pause_ = 0;
  uint64_t received_ = 0;
  uint64_t consumed_ = 0;
};

}  // namespace pinion::testing
