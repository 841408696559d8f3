// One connection of one worker to one instance, shared by the calls of all callers. Owned by its
// Instance; the worker's thread.
//
//     kConnecting → kReady → kDraining → kClosed
//         └────────────┴─────────────────↗
//
// kReady from the server's first SETTINGS on, so that its limit of streams is known before the
// first call. kDraining: no new calls; the running ones end in peace.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/types/span.h"
#include "gateway/http2/flood_guards.h"
#include "gateway/net/event_loop.h"
#include "gateway/transport/connection.h"
#include "gateway/upstream/caller.h"
#include "gateway/upstream/options.h"
#include "gateway/upstream_limits.h"

namespace pinion::upstream {

class Connection final : public net::Deferred, private transport::Connection::Handler {
 public:
  enum class State { kConnecting, kReady, kDraining, kClosed };

  Connection(transport::Shared& shared, const Options& options,
             std::unique_ptr<net::ByteStream> stream, Instance& instance);

  // Sends the request's HEADERS on a new stream whose events go to `caller`; null when no stream is
  // free.
  http2::Stream* Open(absl::Span<const http2::HeaderField> fields, bool end_stream, Caller& caller);

  // Ends the caller's part in the stream; see Session::Release().
  void Release(http2::Stream& stream, http2::ErrorCode code);

  transport::Connection& transport() { return transport_; }
  Instance& instance() { return instance_; }

  // Also false while more waits for the socket than one burst of calls: header lists are not
  // flow-controlled, and an instance that does not read them must not fill the memory.
  bool CanOpen() const {
    return state_ == State::kReady && transport_.session().CanOpenStream() &&
           transport_.unwritten_bytes() < limits::kUnwrittenBytesMax;
  }
  // The largest header list that the instance takes (RFC 9113 section 6.5.2).
  uint32_t header_list_bytes_max() const {
    return transport_.session().peer_max_header_list_bytes();
  }
  // The instance does not read the request of some call and has shut the window of all: what others
  // would send here waits for that one.
  bool choked() const {
    return transport_.send_window_shut_since() + limits::kChokedAfter <= loop_.now();
  }
  State state() const { return state_; }
  // A call was opened on it: what ends without has not helped anyone.
  bool served() const { return served_; }
  // Whether its end is still to be counted, asked once: one lost connection is one failure of the
  // instance, however many calls it carried.
  bool TakeLoss() { return !std::exchange(loss_taken_, true); }
  // More of its calls were reset than a server may bear: another connection had better take the
  // next ones. It takes them until there is one.
  bool worn() const { return worn_; }
  // The instance takes no calls at all on it; another connection would not either.
  bool barred() const {
    return state_ == State::kReady && transport_.session().peer_max_concurrent_streams() == 0;
  }

  // No new calls; closes when the running ones have ended.
  void Drain(absl::string_view why);

 private:
  void OnEvent(const http2::Event& event) override;
  void OnWritable(http2::Stream& stream) override;
  void OnOutputWritten() override;
  void OnClosed(absl::string_view why) override;

  bool HasCalls() const { return transport_.session().active_streams() > 0; }
  void OnSettings();
  void OnTimer();
  void OnKeepalive();
  void CloseIfDrained();
  void CountReset();

  const Options& options_;
  Instance& instance_;
  net::EventLoop& loop_;
  transport::Connection transport_;
  net::Timer timer_;                             // connect timeout, then idle timeout
  net::Timer keepalive_;                         // the next look, then the answer
  absl::Time pinged_at_ = absl::InfinitePast();  // unanswered since; InfinitePast: nothing is
  State state_ = State::kConnecting;
  bool served_ = false;
  bool loss_taken_ = false;
  http2::TokenBucket resets_{limits::kResetsSentBurst, limits::kResetsSentBurst,
                             limits::kResetsSentPerSecond};
  bool worn_ = false;
  std::string draining_why_;
};

}  // namespace pinion::upstream
