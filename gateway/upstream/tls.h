// How the instances that have a TLS name are reached. Immutable; a worker gets another one when a
// file has changed, and uses it for connections from then on.
#pragma once

#include <memory>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "gateway/net/tls_context.h"

namespace pinion::upstream {

struct TlsContexts {
  std::shared_ptr<const net::TlsContext> others;  // of services that are not named; never null
  absl::flat_hash_map<std::string, std::shared_ptr<const net::TlsContext>> by_service;

  const net::TlsContext& For(absl::string_view service) const {
    const auto found = by_service.find(service);
    return found == by_service.end() ? *others : *found->second;
  }
};

}  // namespace pinion::upstream
