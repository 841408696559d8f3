#include "gateway/worker/settings.h"

#include <algorithm>
#include <thread>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "auth/issuer_config.h"
#include "base/proto_duration.h"
#include "base/status_macros.h"
#include "gateway/upstream_limits.h"

namespace pinion::worker {
namespace {

http2::Options ReadHttp2(const config::v1::Http2& config) {
  http2::Options options;
  if (config.has_max_concurrent_streams()) {
    options.max_concurrent_streams = config.max_concurrent_streams().value();
  }
  if (config.has_initial_stream_window_bytes()) {
    options.stream_window_bytes = config.initial_stream_window_bytes().value();
  }
  if (config.has_initial_connection_window_bytes()) {
    options.connection_window_bytes = config.initial_connection_window_bytes().value();
  }
  if (config.has_max_stream_window_bytes()) {
    options.stream_window_bytes_max = config.max_stream_window_bytes().value();
  }
  if (config.has_max_connection_window_bytes()) {
    options.connection_window_bytes_max = config.max_connection_window_bytes().value();
  }
  if (config.has_max_header_list_bytes()) {
    options.max_header_list_bytes = config.max_header_list_bytes().value();
  }
  if (config.has_max_header_fields())
    options.max_header_fields = config.max_header_fields().value();
  return options;
}

void ReadKeepalive(const config::v1::Gateway& gateway, upstream::Options& options) {
  if (!gateway.has_upstream_keepalive()) return;
  const config::v1::Keepalive& keepalive = gateway.upstream_keepalive();
  options.keepalive_interval =
      keepalive.has_interval() ? FromProto(keepalive.interval()) : limits::kKeepaliveInterval;
  if (keepalive.has_timeout()) options.keepalive_timeout = FromProto(keepalive.timeout());
}

// Each worker gets its share, and at least one.
void ReadBreakers(const config::v1::CircuitBreakers& config, int workers,
                  upstream::Options& options) {
  const auto share = [workers](size_t all) { return std::max<size_t>(1, all / workers); };
  options.connections_max = share(config.has_max_connections() ? config.max_connections().value()
                                                               : limits::kConnectionsMax);
  options.pending_calls_max =
      share(config.has_max_pending_calls() ? config.max_pending_calls().value()
                                           : limits::kPendingCallsMax);
  if (config.has_max_calls()) options.calls_max = share(config.max_calls().value());
  if (config.has_min_retries()) options.retries_min = config.min_retries().value();
  if (config.has_retry_percent()) options.retry_percent = config.retry_percent().value();
}

absl::Status ReadIdentity(const config::v1::ConsumerIdentity& config,
                          proxy::ListenerOptions& options) {
  options.consumer_required = config.required();
  options.api_key_header = config.api_key().header();
  options.forward_api_key = config.api_key().forward();
  options.jwt = config.has_jwt();
  options.forward_jwt = config.jwt().forward();
  if (!config.has_trusted_header()) return absl::OkStatus();
  options.identity_header = absl::AsciiStrToLower(config.trusted_header().name());
  for (const std::string& text : config.trusted_header().trusted_peers()) {
    ASSIGN_OR_RETURN(net::Cidr cidr, net::Cidr::Parse(text));
    options.trusted_peers.push_back(cidr);
  }
  if (options.trusted_peers.empty()) {
    for (absl::string_view loopback : {"127.0.0.0/8", "::1"}) {
      options.trusted_peers.push_back(*net::Cidr::Parse(loopback));
    }
  }
  return absl::OkStatus();
}

access_log::Options ReadAccessLog(const config::v1::AccessLog& config) {
  access_log::Options options;
  options.path = config.path();
  options.format = config.format() == config::v1::AccessLog::TEXT ? access_log::Format::kText
                                                                  : access_log::Format::kJson;
  if (config.has_sample()) options.sample = config.sample().value();
  return options;
}

net::TlsVersion ReadTlsVersion(config::v1::TlsProtocol protocol) {
  return protocol == config::v1::TLSv1_3 ? net::TlsVersion::kTls13 : net::TlsVersion::kTls12;
}

net::TlsCertificateFiles ReadCertificate(const config::v1::TlsCertificate& config) {
  return {config.certificate_chain(), config.private_key()};
}

net::TlsServerOptions ReadTls(const config::v1::DownstreamTls& config) {
  net::TlsServerOptions options;
  for (const auto& each : config.tls_certificates()) {
    options.certificates.push_back(ReadCertificate(each));
  }
  options.trusted_ca = config.trusted_ca();
  options.require_client_certificate = config.require_client_certificate();
  options.min_version = ReadTlsVersion(config.tls_minimum_protocol_version());
  return options;
}

UpstreamTlsSettings ReadTls(const config::v1::UpstreamTls& config) {
  UpstreamTlsSettings settings;
  settings.services.assign(config.services().begin(), config.services().end());
  settings.options.trusted_ca = config.trusted_ca();
  if (config.has_tls_certificate()) {
    settings.options.certificate = ReadCertificate(config.tls_certificate());
  }
  settings.options.min_version = ReadTlsVersion(config.tls_minimum_protocol_version());
  return settings;
}

absl::StatusOr<ListenerSettings> ReadListener(const config::v1::Listener& config) {
  ListenerSettings listener;
  listener.endpoint = EndpointOf(config.address());
  listener.options.name = config.name();
  listener.options.any_http2 = config.forward() == config::v1::ANY_HTTP2;
  listener.options.http2 = ReadHttp2(config.http2());
  if (config.has_tls()) listener.tls = ReadTls(config.tls());
  if (absl::Status status = ReadIdentity(config.consumer_identity(), listener.options);
      !status.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat("listener ", config.name(), ": consumer_identity: ", status.message()));
  }
  return listener;
}

}  // namespace

net::Endpoint EndpointOf(const routing::v1::Address& address) {
  if (address.has_pipe()) return {.path = address.pipe().path()};
  return {.host = address.socket_address().address(),
          .port = static_cast<uint16_t>(address.socket_address().port_value())};
}

absl::StatusOr<Settings> ReadSettings(const config::v1::Bootstrap& bootstrap) {
  const config::v1::Gateway& gateway = bootstrap.gateway();
  Settings settings;
  settings.workers = gateway.workers() != 0 ? static_cast<int>(gateway.workers())
                                            : std::max(1u, std::thread::hardware_concurrency());
  for (const config::v1::Listener& config : bootstrap.listeners()) {
    ASSIGN_OR_RETURN(ListenerSettings listener, ReadListener(config));
    settings.listeners.push_back(std::move(listener));
  }
  for (const config::v1::UpstreamTls& config : gateway.upstream_tls()) {
    settings.upstream_tls.push_back(ReadTls(config));
  }
  for (const config::v1::JwtIssuer& config : gateway.jwt_issuers()) {
    settings.jwt_issuers.push_back(auth::IssuerOptionsOf(config));
  }
  proxy::Options& proxy = settings.proxy;
  if (!gateway.version_header().empty()) {
    proxy.version_header = absl::AsciiStrToLower(gateway.version_header());
  }
  if (gateway.has_max_deadline()) proxy.max_deadline = FromProto(gateway.max_deadline());
  if (gateway.has_idle_timeout()) proxy.idle_timeout = FromProto(gateway.idle_timeout());
  if (gateway.has_connect_timeout()) {
    proxy.upstream.connect_timeout = FromProto(gateway.connect_timeout());
  }
  if (gateway.has_max_connection_age()) {
    proxy.connection_age_max = FromProto(gateway.max_connection_age());
  }
  if (gateway.has_max_connection_age_grace()) {
    proxy.connection_age_grace = FromProto(gateway.max_connection_age_grace());
  }
  proxy.upstream.http2 = ReadHttp2(gateway.upstream_http2());
  settings.access_log = ReadAccessLog(gateway.access_log());
  ReadKeepalive(gateway, proxy.upstream);
  ReadBreakers(gateway.circuit_breakers(), settings.workers, proxy.upstream);
  const config::v1::OutlierEjection& outliers = gateway.outlier_ejection();
  if (outliers.has_consecutive_failures()) {
    proxy.upstream.outlier_failures = outliers.consecutive_failures().value();
  }
  if (outliers.has_max_percent()) {
    proxy.upstream.outlier_percent_max = outliers.max_percent().value();
  }
  if (gateway.has_max_connections()) settings.connections_max = gateway.max_connections().value();
  if (gateway.has_memory_budget_bytes()) {
    settings.memory_budget = gateway.memory_budget_bytes().value();
  }
  if (gateway.has_drain_timeout()) settings.drain_timeout = FromProto(gateway.drain_timeout());
  return settings;
}

}  // namespace pinion::worker
