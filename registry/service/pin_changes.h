// Changes of pins as a part of something larger: a job, a plan. The operations SetPin, RollbackPin
// and UnsetPin are these without a job.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "pinion/registry/v1/registry.pb.h"
#include "registry/service/draft.h"
#include "registry/version/expression.h"

namespace pinion::service {

// As the operations; the pin's history says that `job` has made the change.
absl::StatusOr<registry::v1::PinResponse> SetPinFor(Draft& draft,
                                                    const registry::v1::SetPinRequest& request,
                                                    int64_t job);
absl::StatusOr<registry::v1::PinResponse> RollbackPinFor(
    Draft& draft, const registry::v1::RollbackPinRequest& request, int64_t job);
absl::StatusOr<registry::v1::UnsetPinResponse> UnsetPinFor(
    Draft& draft, const registry::v1::UnsetPinRequest& request, int64_t job);

// The version that `expression` means as things are, for a pin that would be set to it; of a ramped
// channel its own. Errors are those of SetPin.
absl::StatusOr<std::string> MeaningForPin(Draft& draft, const routing::v1::Service& service,
                                          const version::Expression& expression);

// Makes the expressions of `move` canonical. `now`: `to` has to mean something already; the result
// is the version. Errors are those of StartJob.
absl::StatusOr<std::string> NormalizeMove(Draft& draft, registry::v1::MovePins& move, bool now);

}  // namespace pinion::service
