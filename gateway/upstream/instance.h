// One instance as one worker sees it: its connections, the calls that wait for a stream, and
// whether it can be reached. Keyed by (address, TLS name, uid), so that a reused address never
// leads to another version. Owned by a Cluster; the worker's thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "gateway/net/endpoint.h"
#include "gateway/net/event_loop.h"
#include "gateway/net/timer_queue.h"
#include "gateway/transport/connection.h"
#include "gateway/upstream/caller.h"
#include "gateway/upstream/connection.h"
#include "gateway/upstream/options.h"

namespace pinion::upstream {

// What one worker has going to one version at this moment; its instances count it.
struct Load {
  size_t connections = 0;
  size_t draining = 0;  // of them: take no more calls
  size_t pending = 0;   // calls that wait for a stream
  size_t calls = 0;     // calls that have one
};

// What people know it by. Shared with the calls that were there.
struct InstanceName {
  std::string uid;
  std::string address;  // the endpoint as they read it
};

class Instance final {
 public:
  // `options` and `version` (the load of the instance's version) outlive it. `tls_name`: empty for
  // a plain connection.
  Instance(transport::Shared& shared, const Options& options, Load& version, std::string service,
           std::string uid, net::Endpoint endpoint, std::string tls_name, uint32_t weight);
  Instance(const Instance&) = delete;
  Instance& operator=(const Instance&) = delete;

  // Answers with OnConnected() before it returns when a stream is free; else later, by
  // OnConnected() or OnConnectFailed(), at `until` at the latest.
  void Acquire(Caller& caller, absl::Time until);

  // After OnConnectFailed(kBarred): waits on, whatever comes, until the time of Acquire().
  void Wait(Caller& caller) { Enqueue(caller); }

  // The caller waits no longer. Nothing when it does not wait.
  static void Abandon(Caller& caller);

  // The options have other TLS contexts than `before`: connections that were made with another one
  // take no more calls.
  void OnTlsChange(const TlsContexts& before);

  // No longer routed to: running calls end in peace, waiting ones fail.
  void Retire();
  // No connections and nobody waiting: a retired instance may go.
  bool idle() const { return connections_.empty() && first_waiting_ == nullptr; }

  // Not resting after a failed connection or failed calls, and not refusing all streams.
  bool available() const { return loop_.now() >= rests_until_ && !ejected() && !barred(); }

  // ---- outliers: see Cluster::Report() ----

  void OnSuccess() { failures_ = 0; }
  // True: that was one too many.
  bool OnFailure() {
    return ++failures_ >= options_.outlier_failures && options_.outlier_failures > 0;
  }
  // Rests now, longer than the last time.
  void Eject();
  bool ejected() const { return loop_.now() < ejected_until_; }

  const std::string& uid() const { return name_->uid; }
  const std::shared_ptr<const InstanceName>& name() const { return name_; }
  const net::Endpoint& endpoint() const { return endpoint_; }
  const std::string& tls_name() const { return tls_name_; }
  uint32_t weight() const { return weight_; }
  void set_weight(uint32_t weight) { weight_ = weight; }
  // Open calls and waiting ones.
  size_t load() const { return calls_ + waiting_; }
  // Smooth weighted round robin's memory; Balancer's.
  int64_t turn_credit = 0;

  // ---- from its connections ----

  void CountLimit(http2::Limit limit) { shared_.limits.Add(limit); }

  void OnCallStarted();
  void OnCallEnded();
  void OnStreamFree();
  void OnConnectionUnusable() { ConnectIfNeeded(); }
  void OnConnectionWorn();
  void OnConnectionReady();
  void OnConnectionDraining();
  // Of one that drained: closed.
  void OnConnectionDrained();
  void OnConnectionClosed(Connection& connection, absl::string_view why);

 private:
  Connection* FindFree();
  void ServeWaiting();
  bool HasRoom() const;
  bool MayGrow() const;
  std::unique_ptr<net::ByteStream> Dial();
  bool barred() const;
  bool Growing() const;
  void ConnectIfNeeded();
  void Connect();
  void Enqueue(Caller& caller);
  void Dequeue(Caller& caller);
  void FailWaiting(AcquireFailure failure, absl::string_view why);
  void ArmPendingTimer(absl::Time at);
  void OnPendingTimer();

  transport::Shared& shared_;
  const Options& options_;
  Load& version_;
  net::EventLoop& loop_;
  const std::string service_;
  const net::Endpoint endpoint_;
  const std::shared_ptr<const InstanceName> name_;
  const std::string tls_name_;
  const std::shared_ptr<net::TlsSessionSlot> tls_session_;  // null: no TLS
  uint32_t weight_;

  std::vector<std::unique_ptr<Connection>> connections_;
  size_t draining_ = 0;  // of them
  Caller* first_waiting_ = nullptr;
  Caller* last_waiting_ = nullptr;
  size_t waiting_ = 0;
  size_t calls_ = 0;
  const bool named_;         // its address is looked up for each connection
  int connects_failed_ = 0;  // in a row, since those who wait heard of it
  net::Timer pending_timer_;
  absl::Time pending_timer_at_;  // while it is armed

  uint32_t failures_ = 0;  // in a row
  int ejections_ = 0;
  absl::Time ejected_until_ = absl::InfinitePast();
  bool retired_ = false;
  absl::Time rests_until_ = absl::InfinitePast();
  absl::Duration backoff_ = absl::ZeroDuration();
};

}  // namespace pinion::upstream
