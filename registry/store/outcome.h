// What a commit says when its answer was lost and nobody can find out what became of it. Pure.
#pragma once

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace pinion::store {

// Unavailable.
absl::Status OutcomeUnknown(absl::string_view message);

// Whether `status` is that, so that the change may have been made, or be made yet.
bool IsOutcomeUnknown(const absl::Status& status);

}  // namespace pinion::store
