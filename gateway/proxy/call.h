// One call, from the request's headers to the last byte in both directions. Owned by its worker's
// Proxy, which recycles it; the worker's thread.
//
//     kIdle → kTrying → kAnswering → kEnded
//                └───────────┴── Finish(CallError) ──↗
//
// kTrying: routed, and its Attempts ask one instance after another. kAnswering: headers went
// downstream, so nothing can be tried again. Every failure goes through Finish(), every end through
// End(): one status, one count.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "gateway/access_log/sink.h"
#include "gateway/http2/packed_headers.h"
#include "gateway/http2/session.h"
#include "gateway/net/timer_queue.h"
#include "gateway/proxy/attempts.h"
#include "gateway/proxy/body_pipe.h"
#include "gateway/proxy/call_trail.h"
#include "gateway/proxy/errors.h"
#include "gateway/proxy/exchange.h"
#include "gateway/proxy/foreign_answer.h"
#include "gateway/proxy/identify.h"
#include "gateway/proxy/request.h"
#include "gateway/proxy/trace_context.h"
#include "gateway/route/route_table.h"

namespace pinion::proxy {

class Downstream;
class Proxy;

class Call final : public Exchange, private Attempts::Owner {
 public:
  explicit Call(Proxy& proxy);
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  // Keeps a copy of the request's headers. The call lives until Proxy::Recycle(),
  // which it asks for itself.
  void Start(Downstream& downstream, const http2::Event& event);

  // Another table is in force. The call keeps its own; but where the pin that decided it has moved
  // with a drain time, the call ends civilly after it, unless the pin comes back before. True: it
  // is to end so.
  bool OnTable(const route::RouteTable& table);

  void OnDownstreamEvent(const http2::Event& event) override;
  void OnDownstreamWritable() override;
  size_t held_bytes() const override { return request_.held_bytes() + response_.held_bytes(); }
  void EndForMemory() override;

  // Its place in the Proxy's list.
  size_t index = 0;

 private:
  enum class Phase { kIdle, kTrying, kAnswering, kEnded };

  // ---- Attempts::Owner ----
  absl::Span<const http2::HeaderField> RequestFields(int sent_before) override;
  void OnUpstreamEvent(const http2::Event& event) override;
  void OnUpstreamWritable() override;
  void OnNoAttempt(route::Reason reason, absl::string_view message) override;
  void OnTooLarge(absl::string_view message) override;

  // ---- routing ----
  void Begin(const RequestHead& head);
  std::optional<CallError> Accept(const RequestHead& head);
  std::optional<CallError> Identify(const RequestHead& head);
  std::optional<CallError> Resolve();
  route::CallQuery Query(const route::Consumer* consumer, const route::MethodPath& method) const;
  std::optional<route::MethodPath> Method() const;

  // ---- response ----
  void OnResponseHeaders(const http2::Event& event);
  std::optional<CallError> CheckResponse(const http2::HeaderBlock& headers, bool end_stream) const;
  void OnResponseTrailers(http2::HeaderBlock& trailers);
  void OnUpstreamReset(const http2::Event& event);
  void OnForeignEvent(const http2::Event& event);
  void CountForeignAnswer();
  void AnswerFor(const CallError& error);

  // ---- ends ----
  void ArmTimer();
  void OnTimer();
  void Finish(const CallError& error);
  // As Finish(), without the answer that waits for the caller; where all was said, just the end.
  void Cut(const CallError& error);
  void SendErrorHeaders(const CallError& error);
  // Ends the call when both directions are through.
  void Settle();
  void End(http2::ErrorCode downstream_code, http2::ErrorCode upstream_code);
  // The call's one count and its one line (call_report.cc).
  void Report();
  void Log(access_log::Sink& sink, int grpc_status) const;
  absl::string_view ServiceName() const;

  CallError Refuse(route::Reason reason, absl::string_view message) const;
  // For grpc-timeout; empty when the caller's own value still holds.
  std::string RemainingTimeout() const;

  // It will end since its pin has moved away.
  bool drains() const { return drain_at_ != absl::InfiniteFuture(); }

  Proxy& proxy_;
  Downstream* downstream_ = nullptr;
  http2::Stream* stream_ = nullptr;  // downstream

  Phase phase_ = Phase::kIdle;
  http2::PackedHeaders headers_;
  absl::Span<const http2::HeaderField> arrived_;  // the same unpacked, while Start() runs
  // Of what they say, what is asked for again; views into headers_.
  absl::string_view path_;
  std::optional<absl::string_view> version_;
  bool version_repeated_ = false;
  bool has_timeout_ = false;
  bool grpc_ = false;
  bool request_ended_ = false;  // nothing more comes or goes upstream
  std::shared_ptr<const route::RouteTable> table_;
  Caller caller_;
  route::Route route_;

  absl::Time started_;
  absl::Time deadline_;
  absl::Time drain_at_;  // of the pin that decided; InfiniteFuture: it has not moved away
  net::Timer timer_;     // the first of the deadline, the drain and a foreign answer's time

  BodyPipe request_;
  BodyPipe response_;
  ForeignAnswer foreign_;
  Attempts attempts_;
  CallTrail trail_;
  TraceContext trace_;
  int grpc_status_ = -1;  // as it went downstream; -1: none did
};

}  // namespace pinion::proxy
