// Which certificates a worker's new connections use, and when those that were made with earlier
// ones are asked to go: a while before theirs expires, a few at a time, where a later one is in
// force. Their calls end in peace. Owned by Worker; its thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/time/time.h"
#include "base/clock.h"
#include "base/counter.h"
#include "gateway/net/byte_stream.h"
#include "gateway/net/event_loop.h"
#include "gateway/net/timer_queue.h"
#include "gateway/proxy/proxy.h"
#include "gateway/worker/settings.h"
#include "gateway/worker/tls_set.h"

namespace pinion::worker {

class TlsRotation {
 public:
  // All outlive it.
  TlsRotation(const Settings& settings, net::EventLoop& loop, const Clock& clock,
              proxy::Proxy& proxy);
  TlsRotation(const TlsRotation&) = delete;
  TlsRotation& operator=(const TlsRotation&) = delete;

  // For connections from now on, also those to instances.
  void Use(std::shared_ptr<const TlsSet> tls);

  // Serves a connection that came in at a listener of `settings`. REQUIRES: Use() was called.
  void Accept(std::unique_ptr<net::ByteStream> stream, size_t listener);

  // Connections that were asked to go. Any thread.
  const Counter& drained() const { return drained_; }

 private:
  // Connections that were accepted while these were in force: their generations, and when the first
  // of their certificates expires.
  struct Earlier {
    uint64_t first;
    uint64_t last;
    absl::Time expiry;
  };

  void Retire(size_t listener, absl::Time expiry);
  void OnTimer();
  absl::Duration DrainSome(size_t listener);

  const Settings& settings_;
  net::EventLoop& loop_;
  const Clock& clock_;
  proxy::Proxy& proxy_;
  std::shared_ptr<const TlsSet> current_;
  uint64_t generation_ = 0;
  std::vector<uint64_t> since_;                // generation of each listener's current context
  std::vector<std::vector<Earlier>> earlier_;  // of each listener
  net::Timer timer_;
  Counter drained_;
};

}  // namespace pinion::worker
