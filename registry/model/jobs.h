// The rules of jobs: changes of pins that are many, or that come later. Pure.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "pinion/registry/v1/registry.pb.h"

namespace pinion::model {

// Failures that a job names; more of them say nothing new.
inline constexpr int kMaxNamedFailures = 100;

bool HasEnded(const registry::v1::Job& job);

// "job 17", as audit records and reasons say it.
std::string JobName(int64_t id);
// "job 17: all consumers move to ^2": what the history of each pin says.
std::string JobReason(const registry::v1::Job& job);

// Of a move whose expressions are canonical. InvalidArgument: it would change nothing, or its drain
// is none.
absl::Status ValidateMove(const registry::v1::MovePins& move);
// Seconds since the epoch. InvalidArgument: `given`, and not after `now`, or too far ahead to be
// meant.
absl::Status ValidateStart(int64_t start, int64_t now, bool given);

// Counts a pin that was passed over, and names it among the first.
void AddFailure(registry::v1::Job& job, absl::string_view pin, absl::string_view message);

}  // namespace pinion::model
