// The upstream side of one call: its tries at instances, one after the other, and the stream of the
// one that runs. Knows which instances were tried and whether another try may follow (gRFC A6).
// Part of a Call; the worker's thread.
//
//     Begin() → waiting for a stream ──▶ open ──▶ Release() or End()
//                  ▲  │ unreachable,        │ refused unseen: RetryUnseen()
//                  │  │ or barred: another  │
//                  │◀─┴─────────────────────┤
//                  └──── backing off ◀──────┘ failed as the policy says: RetryFailed()
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/container/inlined_vector.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "gateway/http2/session.h"
#include "gateway/net/timer_queue.h"
#include "gateway/proxy/body_pipe.h"
#include "gateway/route/refusal.h"
#include "gateway/route/route_table.h"
#include "gateway/upstream/caller.h"
#include "gateway/upstream/cluster.h"
#include "gateway/upstream/retry_budget.h"

namespace pinion::proxy {

class Proxy;

class Attempts final : private upstream::Caller {
 public:
  // The call.
  class Owner {
   public:
    // The request's fields as they leave now, after `sent_before` attempts that failed; used before
    // anything else is asked.
    virtual absl::Span<const http2::HeaderField> RequestFields(int sent_before) = 0;
    // What the session has to say of the stream, see upstream::Caller.
    virtual void OnUpstreamEvent(const http2::Event& event) = 0;
    virtual void OnUpstreamWritable() = 0;
    // No instance could be had, and none will be.
    virtual void OnNoAttempt(route::Reason reason, absl::string_view message) = 0;
    // The instance takes no header list of this size, so that none was sent.
    virtual void OnTooLarge(absl::string_view message) = 0;

   protected:
    ~Owner() = default;
  };

  // The pipes are the owner's: between attempts the request waits in its own.
  Attempts(Proxy& proxy, Owner& owner, BodyPipe& request, BodyPipe& response);
  Attempts(const Attempts&) = delete;
  Attempts& operator=(const Attempts&) = delete;

  // Tries the instances of `route`, which outlives the attempts. Answers by the owner's functions,
  // also before it returns. `deadline`: of the call, InfiniteFuture without one. A call that is
  // not gRPC's is retried only unseen: its method may change things.
  void Begin(const route::Route& route, uint64_t table_generation, absl::Time deadline, bool grpc);

  // The server said that it has not looked at the request: once more, elsewhere if there is an
  // elsewhere. False: that may not be done. gRFC A6, "transparent retries".
  bool RetryUnseen(const http2::Event& event);

  // The open attempt failed with `grpc_status` before anything went downstream: once more after a
  // while, if the service's policy, its budget and the deadline allow it. `pushback` is the
  // server's grpc-retry-pushback-ms, null without one. False: that is the call's own end.
  bool RetryFailed(int grpc_status, const http2::HeaderField* pushback);

  // False: the instance takes no trailers of this size, as the owner has heard.
  bool TakesTrailers(const http2::HeaderBlock& trailers) {
    return connection_ == nullptr || Fits(trailers.fields(), *connection_);
  }

  // How the call ended with headers downstream, for the throttle.
  void CountAnswer(int grpc_status);

  // Whether the open attempt came to an answer, for the choice among instances.
  void Report(bool failed);

  // Failed attempts that another one followed.
  int retries() const { return retries_; }

  // Null while none is open.
  upstream::Connection* connection() const { return connection_; }
  http2::Stream* stream() const { return stream_; }

  // ---- for reports ----

  // Instances that were asked for a stream.
  uint32_t count() const { return count_; }
  // When the last stream was opened, InfinitePast: none was.
  absl::Time opened_at() const { return opened_at_; }
  // At which instance. REQUIRES: one was opened.
  const upstream::InstanceName& instance() const { return *instance_; }
  // After the report.
  void ForgetTrail();

  // Ends the open attempt, resetting its stream with `code` unless that is over.
  void Release(http2::ErrorCode code);
  // As Release(), and none will follow. Ready for the next call.
  void End(http2::ErrorCode code);

 private:
  // ---- upstream::Caller ----
  void OnConnected(upstream::Connection& connection) override;
  void OnConnectFailed(upstream::AcquireFailure failure, absl::string_view why) override;
  void OnUpstreamEvent(const http2::Event& event) override { owner_.OnUpstreamEvent(event); }
  void OnUpstreamWritable() override { owner_.OnUpstreamWritable(); }

  void Try();
  bool Fits(absl::Span<const http2::HeaderField> fields, upstream::Connection& connection);
  // Another attempt follows, at once or later: the request begins again.
  void StartOver();
  void TryAnywhere();
  void GiveUp(route::Reason reason, absl::string_view message);
  // Nullopt: the server forbids a retry.
  std::optional<absl::Duration> Backoff(const http2::HeaderField* pushback);
  upstream::Cluster& cluster() const;

  Proxy& proxy_;
  Owner& owner_;
  BodyPipe& request_;
  BodyPipe& response_;
  const route::Route* route_ = nullptr;
  uint64_t table_generation_ = 0;
  upstream::Connection* connection_ = nullptr;
  http2::Stream* stream_ = nullptr;
  absl::InlinedVector<upstream::Instance*, 4> tried_;
  bool retried_unseen_ = false;
  uint32_t count_ = 0;
  absl::Time opened_at_ = absl::InfinitePast();
  // Its own part of that, since an instance may go before a call that was there ends.
  std::shared_ptr<const upstream::InstanceName> instance_;
  absl::Time deadline_;
  absl::Time pending_until_;  // of this attempt: at the latest then it has a stream

  // ---- configured retries ----
  const route::RetryPolicy* policy_ = nullptr;
  int retries_ = 0;
  int sent_before_ = 0;  // of the failed attempts; others never left the gateway
  int backoffs_ = 0;     // since the last pushback
  std::shared_ptr<upstream::RetryBudget> budget_;  // set: a part of it is taken
  net::Timer backoff_;
};

}  // namespace pinion::proxy
