// The upstream side of one call: its tries at instances, one after the other, and the stream of the
// one that runs. Knows which instances were tried and whether another try may follow. Part of a
// Call; the worker's thread.
//
//     Begin() → waiting for a stream ──▶ open ──▶ Release() or End()
//                  ▲  │ unreachable: another instance
//                  └──┴── RetryUnseen()
#pragma once

#include <cstdint>
#include <string>

#include "absl/container/inlined_vector.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "gateway/http2/session.h"
#include "gateway/proxy/body_pipe.h"
#include "gateway/route/refusal.h"
#include "gateway/route/route_table.h"
#include "gateway/upstream/caller.h"
#include "gateway/upstream/cluster.h"

namespace pinion::proxy {

class Proxy;

class Attempts final : private upstream::Caller {
 public:
  // The call.
  class Owner {
   public:
    // The request's fields as they leave now; used before anything else is asked.
    virtual absl::Span<const http2::HeaderField> RequestFields() = 0;
    // What the session has to say of the stream, see upstream::Caller.
    virtual void OnUpstreamEvent(const http2::Event& event) = 0;
    virtual void OnUpstreamWritable() = 0;
    // No instance could be had, and none will be.
    virtual void OnNoAttempt(route::Reason reason, absl::string_view message) = 0;

   protected:
    ~Owner() = default;
  };

  // The pipes are the owner's: between attempts the request waits in its own.
  Attempts(Proxy& proxy, Owner& owner, BodyPipe& request, BodyPipe& response)
      : proxy_(proxy), owner_(owner), request_(request), response_(response) {}
  Attempts(const Attempts&) = delete;
  Attempts& operator=(const Attempts&) = delete;

  // Tries the instances of `route`, which outlives the attempts. Answers by the owner's functions,
  // also before it returns.
  void Begin(const route::Route& route, uint64_t table_generation);

  // The server said that it has not looked at the request: once more, elsewhere if there is an
  // elsewhere. False: that may not be done. gRFC A6, "transparent retries".
  bool RetryUnseen(const http2::Event& event);

  // Null while none is open.
  upstream::Connection* connection() const { return connection_; }
  http2::Stream* stream() const { return stream_; }

  // ---- for reports ----

  // Instances that were asked for a stream.
  uint32_t count() const { return count_; }
  // When the last stream was opened, InfinitePast: none was; and at which instance.
  absl::Time opened_at() const { return opened_at_; }
  const std::string& instance() const { return instance_; }
  const std::string& address() const { return address_; }
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
  std::string instance_;  // copies, since an instance may go before a call that was there ends
  std::string address_;
};

}  // namespace pinion::proxy
