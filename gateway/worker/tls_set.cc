#include "gateway/worker/tls_set.h"

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"

namespace pinion::worker {
namespace {

absl::Status Named(const absl::Status& status, absl::string_view what) {
  return absl::Status(status.code(), absl::StrCat(what, ": ", status.message()));
}

absl::StatusOr<std::shared_ptr<const upstream::TlsContexts>> LoadUpstream(
    const Settings& settings) {
  auto contexts = std::make_shared<upstream::TlsContexts>();
  for (const UpstreamTlsSettings& each : settings.upstream_tls) {
    auto context = net::TlsContext::ForClients(each.options);
    if (!context.ok()) return Named(context.status(), "upstream_tls");
    if (each.services.empty()) contexts->others = *context;
    for (const std::string& service : each.services) contexts->by_service[service] = *context;
  }
  if (contexts->others == nullptr) {
    ASSIGN_OR_RETURN(contexts->others, net::TlsContext::ForClients({}));
  }
  return contexts;
}

}  // namespace

absl::StatusOr<std::shared_ptr<const TlsSet>> LoadTls(
    const Settings& settings, const std::shared_ptr<const net::TlsTicketKeys>& tickets) {
  auto set = std::make_shared<TlsSet>();
  for (const ListenerSettings& listener : settings.listeners) {
    set->listeners.emplace_back();
    if (!listener.tls.has_value()) continue;
    auto context = net::TlsContext::ForServers(*listener.tls, tickets);
    if (!context.ok()) {
      return Named(context.status(), absl::StrCat("listener ", listener.options.name));
    }
    set->listeners.back() = *std::move(context);
  }
  ASSIGN_OR_RETURN(set->upstream, LoadUpstream(settings));
  return set;
}

}  // namespace pinion::worker
