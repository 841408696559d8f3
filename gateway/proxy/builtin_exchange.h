// A call that the gateway answers itself: takes messages out of the request's DATA, gives them to a
// builtin::Call, and sends what it answers. Owned by Proxy until it asks to be discarded; the
// worker's thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/strings/cord.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gateway/access_log/sink.h"
#include "gateway/builtin/call.h"
#include "gateway/http2/session.h"
#include "gateway/net/event_loop.h"
#include "gateway/net/timer_queue.h"
#include "gateway/proxy/admission.h"
#include "gateway/proxy/body_pipe.h"
#include "gateway/proxy/errors.h"
#include "gateway/proxy/exchange.h"

namespace pinion::proxy {

class Downstream;
class Proxy;

class BuiltinExchange final : public net::Deferred, public Exchange, private builtin::Sink {
 public:
  BuiltinExchange(Proxy& proxy, Downstream& downstream);

  void Start(const http2::Event& event);
  void OnTable(const std::shared_ptr<const route::RouteTable>& table);
  // The connection takes no more calls. A watch would keep it for ever.
  void OnLastGoAway();

  const Downstream& downstream() const { return downstream_; }

  void OnDownstreamEvent(const http2::Event& event) override;
  void OnDownstreamWritable() override;
  size_t held_bytes() const override {
    return received_.capacity() + answer_own_bytes_ + response_.held_bytes();
  }
  void EndForMemory() override { Cut(OutOfMemory()); }

 private:
  void Send(absl::Cord message, size_t shared_bytes) override;
  bool MayLook(size_t services) override;
  void End(const absl::Status& status) override;

  void Receive(http2::Bytes bytes, bool end);
  // True: a whole message was there and went to the call.
  bool DeliverMessage();
  // All messages were delivered and no more come.
  void EndRequest();
  // Nothing waits for the caller to read.
  bool idle() const { return answer_.empty() && response_.waiting_bytes() == 0; }
  void SendHeaders();
  // As much of the answer, and then of the last word, as the caller takes.
  void SendWaiting();
  // Nothing if the last word was said.
  void EndWith(const CallError& error);
  void SayLast(const CallError& error);
  // The last word, and without the answer that waits for the caller, as of any call.
  void Cut(const CallError& error);
  void Settle();
  void Close();
  void Log(access_log::Sink& sink) const;

  Proxy& proxy_;
  Downstream& downstream_;
  http2::Stream* stream_ = nullptr;
  std::unique_ptr<builtin::Call> call_;
  std::string received_;  // not yet a whole message
  bool grpc_ = false;
  bool request_ended_ = false;
  bool headers_sent_ = false;
  bool ended_ = false;  // the last word was said
  bool closed_ = false;
  absl::Cord answer_;              // what response_ has yet to get
  size_t answer_own_bytes_ = 0;    // of it, but for what is shared
  std::optional<CallError> last_;  // the last word, until what is before it is sent
  BodyPipe response_;
  net::Timer timer_;  // the caller's deadline

  // ---- for the log ----
  std::string path_;
  std::string trace_id_;
  absl::Time started_;
  uint64_t request_bytes_ = 0;
  int grpc_status_ = -1;  // the last word; -1: none was said
  int http_status_ = 0;   // instead, to who does not speak gRPC
  absl::string_view reset_by_;
  absl::string_view reset_;
};

}  // namespace pinion::proxy
