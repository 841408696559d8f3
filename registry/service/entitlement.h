// Whether a consumer may choose what its pin asks for. Reads through the draft, so that the answer
// still holds when the change is committed.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "pinion/routing/v1/routing.pb.h"
#include "registry/service/draft.h"
#include "registry/version/expression.h"

namespace pinion::service {

// What somebody wants to pin a consumer to.
struct PinChoice {
  const std::string& consumer;
  const registry::v1::Service& service;
  const version::Expression& expression;
  const std::string& version;  // that it means now; empty: nothing yet
};

// PermissionDenied: VERSION_NOT_ALLOWED, since the consumer's entitlement does not allow the
// version, or none that the expression could come to mean as things are. A channel is always
// allowed: where it leads is its owners' choice. REQUIRES: the draft has read the service's
// Resolutions, if `version` is empty.
absl::Status CheckMayChoose(Draft& draft, const PinChoice& choice);

}  // namespace pinion::service
