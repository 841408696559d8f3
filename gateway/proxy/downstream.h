// One caller's connection: makes a Call of each request, closes when idle, and ends in two phases
// on drain. Owned by its worker's Proxy; the worker's thread.
#pragma once

#include <cstddef>
#include <list>
#include <memory>
#include <optional>
#include <string>

#include "auth/limits.h"
#include "gateway/http2/flood_guards.h"
#include "gateway/net/event_loop.h"
#include "gateway/net/timer_queue.h"
#include "gateway/proxy/identify.h"
#include "gateway/proxy/options.h"
#include "gateway/proxy/token_cache.h"
#include "gateway/transport/connection.h"

namespace pinion::proxy {

class Proxy;

class Downstream final : public net::Deferred, private transport::Connection::Handler {
 public:
  Downstream(Proxy& proxy, transport::Shared& shared, std::unique_ptr<net::ByteStream> stream,
             const ListenerOptions& listener, uint64_t generation);

  const ListenerOptions& listener() const { return listener_; }
  // As given to Proxy::Accept().
  uint64_t generation() const { return generation_; }
  // The peer's identity header is believed.
  bool trusted() const { return trusted_; }
  const std::string& peer() const { return transport_.peer(); }
  CertificateIdentity& certificate() { return certificate_; }
  ApiKeyIdentity& api_key() { return api_key_; }
  // Null: too many forged ones came before, so this new one is not looked at. Valid until the next
  // call of this.
  const TokenCache::Known* CheckToken(absl::string_view token);
  absl::Time since() const { return since_; }
  transport::Connection& transport() { return transport_; }

  // A call is done with its stream.
  void ReleaseCall(http2::Stream& stream, http2::ErrorCode code);

  // GOAWAY(2^31−1) and a PING; with its answer, or after a while, the real last id. Closes when the
  // last call has ended.
  void Drain();
  bool draining() const { return draining_ != Draining::kOpen; }
  // Drain() if no call is open and for `timeout` none was; counted as `limit`. False: it is in use,
  // not established yet, or already draining.
  bool DrainIfIdle(absl::Duration timeout, http2::Limit limit);
  // Now, whatever is running.
  void Close(absl::string_view why) { transport_.Close(why); }
  // See transport::Connection.
  void Drop(absl::string_view why) { transport_.Drop(why); }
  size_t unwritten_bytes() const { return transport_.unwritten_bytes(); }

  // Places in the Proxy's lists; no newcomer once the client's first SETTINGS are here.
  size_t index = 0;
  std::optional<std::list<Downstream*>::iterator> newcomer;

 private:
  // kOpen → kNoticed → kFinal
  enum class Draining { kOpen, kNoticed, kFinal };

  void OnEvent(const http2::Event& event) override;
  void OnWritable(http2::Stream& stream) override;
  void OnClosed(absl::string_view why) override;

  // The handshakes of TLS and HTTP/2 are over.
  void Establish();
  void Begin(const http2::Event& event);
  void OnTimer();
  void OnAge();
  void SayFinalGoAway();
  void CloseIfDrained();

  Proxy& proxy_;
  const ListenerOptions& listener_;
  transport::Connection transport_;
  const bool trusted_;
  const absl::Time since_;
  const uint64_t generation_;
  CertificateIdentity certificate_;
  ApiKeyIdentity api_key_;
  http2::TokenBucket forged_tokens_{limits::kForgedTokenBurst, limits::kForgedTokenBurst,
                                    limits::kForgedTokensPerSecond};
  Draining draining_ = Draining::kOpen;
  bool aged_ = false;
  net::Timer timer_;      // the preface, then idle; in kNoticed: the answer to the PING
  net::Timer age_timer_;  // where connections have a greatest age: it, then its grace
};

}  // namespace pinion::proxy
