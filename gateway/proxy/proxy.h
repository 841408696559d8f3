// Everything of one worker but its thread and its listeners: callers' connections, running calls,
// clusters, and the current route table. The same object runs in production and, on virtual time,
// in the simulation. One event loop's thread.
#pragma once

#include <list>
#include <memory>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "base/random.h"
#include "gateway/access_log/sink.h"
#include "gateway/builtin/look_budget.h"
#include "gateway/net/event_loop.h"
#include "gateway/proxy/builtin_exchange.h"
#include "gateway/proxy/call.h"
#include "gateway/proxy/call_usage.h"
#include "gateway/proxy/downstream.h"
#include "gateway/proxy/memory_pressure.h"
#include "gateway/proxy/options.h"
#include "gateway/proxy/pin_proposals.h"
#include "gateway/proxy/stats.h"
#include "gateway/proxy/token_cache.h"
#include "gateway/route/header_resolutions.h"
#include "gateway/route/route_table.h"
#include "gateway/transport/connection.h"
#include "gateway/upstream/cluster.h"

namespace pinion::proxy {

class Proxy final : private net::TurnTask {
 public:
  // Starts with an empty table: every call is refused until SetTable().
  // `access_log`: where ended calls are told; null: nowhere. It outlives the proxy.
  Proxy(net::EventLoop& loop, Options options, access_log::Sink* access_log = nullptr);
  ~Proxy();
  Proxy(const Proxy&) = delete;
  Proxy& operator=(const Proxy&) = delete;

  // For calls that begin from now on; running ones keep theirs.
  void SetTable(std::shared_ptr<const route::RouteTable> table);

  // For connections to instances from now on.
  void SetUpstreamTls(std::shared_ptr<const upstream::TlsContexts> tls) {
    clusters_.SetTls(std::move(tls));
  }

  // Whose tokens are believed, for calls from now on.
  void SetIssuers(std::shared_ptr<const auth::Issuers> issuers) {
    tokens_.SetIssuers(std::move(issuers));
  }

  // Serves a caller's connection. `listener` outlives the proxy. `generation`: what
  // DrainGenerations() knows the connection by.
  void Accept(std::unique_ptr<net::ByteStream> stream, const ListenerOptions& listener,
              uint64_t generation = 0);

  // Asks connections that came in at `listener` with a generation of `first` to `last` to go, at
  // most `most` of them, and returns how many it asked.
  size_t DrainGenerations(const ListenerOptions& listener, uint64_t first, uint64_t last,
                          size_t most);

  // Asks every caller to go elsewhere; connections close as their calls end.
  void Drain();
  // Ends every connection now.
  void CloseAll(absl::string_view why);
  // No caller's connection is left.
  bool idle() const { return downstreams_.empty(); }
  // Of one listener.
  size_t connections(const ListenerOptions& listener) const;

  // Calls that run, and those that ended and are kept for the next.
  size_t calls() const { return calls_.size(); }

  // Connections that are not through with the handshakes of TLS and HTTP/2.
  size_t newcomers() const { return newcomers_.size(); }
  // Ends those that have been at it for `patience` or longer.
  void EndNewcomers(absl::Duration patience);

  // What to do about the process's memory, from now on and, of what ends connections and calls,
  // now.
  void SetMemoryPressure(MemoryPressure pressure);
  MemoryStage memory_stage() const { return memory_stage_; }

  // As CallUsage::Take().
  route::Usage TakeUsage() { return usage_.Take(*table_); }

  const Stats& stats() const { return stats_; }
  const http2::LimitCounters& limits() const { return shared_.limits; }
  net::TlsShared& tls() { return shared_.tls; }
  const net::TlsShared& tls() const { return shared_.tls; }

  // ---- for its parts ----

  net::EventLoop& loop() { return loop_; }
  const Options& options() const { return options_; }
  access_log::Sink* access_log() { return access_log_; }
  Random& trace_ids() { return trace_ids_; }
  Stats& stats() { return stats_; }
  http2::LimitCounters& limits() { return shared_.limits; }
  const std::shared_ptr<const route::RouteTable>& table() const { return table_; }
  route::HeaderResolutions& header_resolutions() { return header_resolutions_; }
  upstream::Clusters& clusters() { return clusters_; }
  PinProposals& pin_proposals() { return pin_proposals_; }
  CallUsage& usage() { return usage_; }
  builtin::LookBudget& reflection_looks() { return reflection_looks_; }
  TokenCache& tokens() { return tokens_; }
  const TokenCache& tokens() const { return tokens_; }
  // Brings the clusters up to the newest table at once, for a call that kept an older one and looks
  // for instances again. Not while an instance hands out failures.
  void RefreshClusters();
  // `duration` ±10 %.
  absl::Duration Jitter(absl::Duration duration);
  // Where the fields of one header block are put together, and what they point to.
  struct Scratch {
    std::vector<http2::HeaderField> request;
    std::vector<http2::HeaderField> fields;
    std::string timeout;
    std::string previous_attempts;
  };
  // Without fields; valid until the next call of this.
  Scratch& scratch();

  Call& NewCall();
  // At the end of the turn: callbacks of the call may be on the stack.
  void Recycle(Call& call);
  void Remove(Downstream& downstream);
  // It is no newcomer any more.
  void ForgetNewcomer(Downstream& downstream);

  // Keeps an exchange with the gateway itself until Discard().
  BuiltinExchange& Adopt(std::unique_ptr<BuiltinExchange> exchange);
  void Discard(BuiltinExchange& exchange);
  // Those of one connection, which takes no more calls.
  void EndBuiltins(const Downstream& downstream);

 private:
  void RunAtEndOfTurn() override;
  void Sweep();
  // The largest first until they held `bytes`; returns how many they held.
  size_t EndLargestCalls(size_t bytes);
  void DropLargestConnections(size_t bytes);

  net::EventLoop& loop_;
  const Options options_;
  access_log::Sink* const access_log_;
  Random trace_ids_;
  Stats stats_;
  transport::Shared shared_;
  upstream::Clusters clusters_;
  route::HeaderResolutions header_resolutions_;
  PinProposals pin_proposals_;
  CallUsage usage_;
  builtin::LookBudget reflection_looks_;
  TokenCache tokens_;
  std::shared_ptr<const route::RouteTable> table_;
  Scratch scratch_;
  std::vector<std::unique_ptr<Downstream>> downstreams_;
  absl::flat_hash_map<const ListenerOptions*, size_t> by_listener_;  // how many of them
  std::list<Downstream*> newcomers_;                                 // the oldest first
  std::vector<std::unique_ptr<Call>> calls_;  // those of free_calls_ and ended_calls_ included
  std::vector<Call*> free_calls_;             // at most limits::kCallsKeptMax
  std::vector<Call*> ended_calls_;
  std::vector<std::unique_ptr<BuiltinExchange>> builtins_;
  net::Timer sweep_timer_;
  MemoryStage memory_stage_ = MemoryStage::kPlenty;
  bool calls_drain_ = false;  // some call is to end since its pin has moved away
  bool draining_ = false;
};

}  // namespace pinion::proxy
