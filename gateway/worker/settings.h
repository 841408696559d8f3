// The configuration file's values as the data plane's own options. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "auth/key_source.h"
#include "gateway/access_log/sink.h"
#include "gateway/net/endpoint.h"
#include "gateway/net/tls_context.h"
#include "gateway/proxy/options.h"
#include "pinion/config/v1/config.pb.h"

namespace pinion::worker {

struct ListenerSettings {
  net::Endpoint endpoint;
  proxy::ListenerOptions options;
  std::optional<net::TlsServerOptions> tls;
};

struct UpstreamTlsSettings {
  std::vector<std::string> services;  // empty: all that no other entry names
  net::TlsClientOptions options;
};

struct Settings {
  int workers = 1;  // at least 1
  std::vector<ListenerSettings> listeners;
  std::vector<UpstreamTlsSettings> upstream_tls;
  std::vector<auth::IssuerOptions> jwt_issuers;
  proxy::Options proxy;
  access_log::Options access_log;  // none without a path
  // Of one listener, over all workers.
  size_t connections_max = limits::kMaxConnections;
  absl::Duration drain_timeout = limits::kDrainTimeout;
  std::optional<size_t> memory_budget;  // bytes, above 0; unset: as much as there is
};

// InvalidArgument for what the configuration's own check lets pass but no gateway can do; names the
// field.
absl::StatusOr<Settings> ReadSettings(const config::v1::Bootstrap& bootstrap);

net::Endpoint EndpointOf(const routing::v1::Address& address);

}  // namespace pinion::worker
