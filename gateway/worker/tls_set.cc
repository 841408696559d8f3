#include "gateway/worker/tls_set.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"

namespace pinion::worker {
namespace {

using ContextPtr = std::shared_ptr<const net::TlsContext>;

absl::Status Named(const absl::Status& status, absl::string_view what) {
  return absl::Status(status.code(), absl::StrCat(what, ": ", status.message()));
}

bool SameFiles(const ContextPtr& a, const ContextPtr& b) {
  if (a == nullptr || b == nullptr) return a == b;
  return a->fingerprint() == b->fingerprint();
}

void KeepIfSame(const ContextPtr& before, ContextPtr& made) {
  if (before == nullptr || before->tickets() != made->tickets()) return;
  if (SameFiles(before, made)) made = before;
}

absl::StatusOr<std::shared_ptr<const upstream::TlsContexts>> LoadUpstream(
    const Settings& settings, const upstream::TlsContexts* before) {
  auto contexts = std::make_shared<upstream::TlsContexts>();
  for (const UpstreamTlsSettings& each : settings.upstream_tls) {
    auto loaded = net::TlsContext::ForClients(each.options);
    if (!loaded.ok()) return Named(loaded.status(), "upstream_tls");
    ContextPtr context = *std::move(loaded);
    if (each.services.empty()) {
      if (before != nullptr) KeepIfSame(before->others, context);
      contexts->others = context;
      continue;
    }
    if (before != nullptr) KeepIfSame(before->by_service.at(each.services.front()), context);
    for (const std::string& service : each.services) contexts->by_service[service] = context;
  }
  if (contexts->others != nullptr) return contexts;
  if (before != nullptr) {
    contexts->others = before->others;  // whom the system trusts: no file of ours
  } else {
    ASSIGN_OR_RETURN(contexts->others, net::TlsContext::ForClients({}));
  }
  return contexts;
}

}  // namespace

bool TlsSet::SameFiles(const TlsSet& other) const {
  for (size_t i = 0; i < listeners.size(); ++i) {
    if (!worker::SameFiles(listeners[i], other.listeners[i])) return false;
  }
  for (const auto& [service, context] : upstream->by_service) {
    if (!worker::SameFiles(context, other.upstream->by_service.at(service))) return false;
  }
  return worker::SameFiles(upstream->others, other.upstream->others);
}

absl::StatusOr<std::shared_ptr<const TlsSet>> LoadTls(
    const Settings& settings, const std::shared_ptr<const net::TlsTicketKeys>& tickets,
    const TlsSet* before) {
  auto set = std::make_shared<TlsSet>();
  for (size_t i = 0; i < settings.listeners.size(); ++i) {
    const ListenerSettings& listener = settings.listeners[i];
    ContextPtr& place = set->listeners.emplace_back();
    if (!listener.tls.has_value()) continue;
    auto context = net::TlsContext::ForServers(*listener.tls, tickets);
    if (!context.ok()) {
      return Named(context.status(), absl::StrCat("listener ", listener.options.name));
    }
    place = *std::move(context);
    if (before != nullptr) KeepIfSame(before->listeners[i], place);
  }
  ASSIGN_OR_RETURN(set->upstream,
                   LoadUpstream(settings, before == nullptr ? nullptr : before->upstream.get()));
  return set;
}

}  // namespace pinion::worker
