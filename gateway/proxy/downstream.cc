#include "gateway/proxy/downstream.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "gateway/builtin/call.h"
#include "gateway/limits.h"
#include "gateway/proxy/builtin_exchange.h"
#include "gateway/proxy/call.h"
#include "gateway/proxy/proxy.h"
#include "gateway/route/method_path.h"

namespace pinion::proxy {

Downstream::Downstream(Proxy& proxy, transport::Shared& shared,
                       std::unique_ptr<net::ByteStream> stream, const ListenerOptions& listener,
                       uint64_t generation)
    : proxy_(proxy),
      listener_(listener),
      transport_(shared, std::move(stream), http2::Role::kServer, listener.http2, *this),
      trusted_(
          std::any_of(listener.trusted_peers.begin(), listener.trusted_peers.end(),
                      [&](const net::Cidr& cidr) { return cidr.Contains(transport_.peer()); })),
      since_(shared.loop.now()),
      generation_(generation),
      timer_(
          shared.loop.timers(), [](void* self) { static_cast<Downstream*>(self)->OnTimer(); },
          this),
      age_timer_(
          shared.loop.timers(), [](void* self) { static_cast<Downstream*>(self)->OnAge(); }, this) {
  timer_.Arm(shared.loop.now() + limits::kPrefaceTimeout);
  const absl::Duration age = proxy.options().connection_age_max;
  if (age != absl::InfiniteDuration()) age_timer_.Arm(shared.loop.now() + proxy.Jitter(age));
}

void Downstream::ReleaseCall(http2::Stream& stream, http2::ErrorCode code) {
  transport_.session().Release(stream, code);
  CloseIfDrained();
}

void Downstream::OnEvent(const http2::Event& event) {
  if (event.type == http2::EventType::kHeaders) {
    return Begin(event);
  }
  if (event.stream != nullptr) {
    auto* exchange = static_cast<Exchange*>(event.stream->user());
    if (exchange != nullptr) exchange->OnDownstreamEvent(event);
  } else if (event.type == http2::EventType::kSettings) {
    if (newcomer.has_value()) Establish();
  } else if (event.type == http2::EventType::kPingAck && draining_ == Draining::kNoticed) {
    SayFinalGoAway();
  }
}

void Downstream::Establish() {
  proxy_.ForgetNewcomer(*this);
  const auth::TlsPeer* peer = transport_.tls_peer();
  if (peer != nullptr) certificate_.Read(*peer);
  if (draining_ == Draining::kOpen) timer_.Arm(proxy_.loop().now() + proxy_.options().idle_timeout);
}

const TokenCache::Known* Downstream::CheckToken(absl::string_view token) {
  TokenCache& tokens = proxy_.tokens();
  const absl::Time now = proxy_.loop().now();
  if (const TokenCache::Known* known = tokens.Find(token, now)) return known;
  if (!forged_tokens_.Take(now)) {
    tokens.Skip();
    return nullptr;
  }
  const TokenCache::Known& known = tokens.Verify(token, now);
  if (known.kind != auth::TokenVerdict::Kind::kForged) forged_tokens_.Give(1);
  return &known;
}

void Downstream::Begin(const http2::Event& event) {
  const http2::HeaderField* path = event.headers->Find(http2::HeaderName::kPath);
  const auto method = path == nullptr ? std::nullopt : route::ParseMethodPath(path->value);
  if (method.has_value() && builtin::IsBuiltin(method->grpc_service)) {
    proxy_.Adopt(std::make_unique<BuiltinExchange>(proxy_, *this)).Start(event);
  } else {
    proxy_.NewCall().Start(*this, event);
  }
}

void Downstream::OnWritable(http2::Stream& stream) {
  auto* exchange = static_cast<Exchange*>(stream.user());
  if (exchange != nullptr) exchange->OnDownstreamWritable();
}

void Downstream::OnClosed(absl::string_view /*why*/) { proxy_.Remove(*this); }

void Downstream::OnTimer() {
  if (draining_ == Draining::kNoticed) return SayFinalGoAway();
  const absl::Time now = proxy_.loop().now();
  const http2::Session& session = std::as_const(transport_).session();
  if (!session.established()) {
    proxy_.limits().Add(http2::Limit::kPrefaceTimeout);
    return Close("no HTTP/2 preface in time");
  }
  const absl::Duration timeout = proxy_.options().idle_timeout;
  if (DrainIfIdle(timeout, http2::Limit::kIdleTimeout)) return;
  timer_.Arm(session.active_streams() == 0 ? transport_.last_read() + timeout : now + timeout);
}

// Connections that began together must not all come back together: hence the jitter.
void Downstream::OnAge() {
  if (aged_) return Close("older than max_connection_age and its grace allow");
  aged_ = true;
  const absl::Duration grace = proxy_.options().connection_age_grace;
  proxy_.stats().connections_aged.Add();
  Drain();
  if (grace != absl::InfiniteDuration()) age_timer_.Arm(proxy_.loop().now() + grace);
}

bool Downstream::DrainIfIdle(absl::Duration timeout, http2::Limit limit) {
  const http2::Session& session = std::as_const(transport_).session();
  if (draining() || !session.established() || session.active_streams() != 0) return false;
  if (transport_.last_read() + timeout > proxy_.loop().now()) return false;
  proxy_.limits().Add(limit);
  Drain();
  return true;
}

void Downstream::Drain() {
  if (draining_ != Draining::kOpen) return;
  draining_ = Draining::kNoticed;
  transport_.session().GoAwayNotice();
  transport_.session().Ping(0);
  timer_.Arm(proxy_.loop().now() + limits::kGoAwayGrace);
}

void Downstream::SayFinalGoAway() {
  draining_ = Draining::kFinal;
  timer_.Cancel();
  transport_.session().GoAwayFinal(http2::ErrorCode::kNoError, "");
  proxy_.EndBuiltins(*this);
  CloseIfDrained();
}

void Downstream::CloseIfDrained() {
  if (draining_ == Draining::kFinal && std::as_const(transport_).session().active_streams() == 0) {
    transport_.Close("drained");
  }
}

}  // namespace pinion::proxy
