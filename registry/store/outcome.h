// What a commit says when its answer was lost and nobody can find out all that became of it. Pure.
#pragma once

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace pinion::store {

// Unavailable.
absl::Status OutcomeUnknown(absl::string_view message);

// Whether `status` is that, so that the change was made, may have been, or may be yet.
bool IsOutcomeUnknown(const absl::Status& status);

}  // namespace pinion::store
