// The registry's refusals: statuses with one google.rpc.ErrorInfo (domain "pinion") as payload,
// under the type URL that service/ copies into the gRPC status details. Pure.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace pinion::model {

using Metadata = std::vector<std::pair<std::string, std::string>>;

inline constexpr char kErrorInfoUrl[] = "type.googleapis.com/google.rpc.ErrorInfo";
inline constexpr char kPreconditionFailureUrl[] =
    "type.googleapis.com/google.rpc.PreconditionFailure";

// `metadata` holds every variable of `message`. REQUIRES: `code` is an error.
absl::Status Refusal(absl::StatusCode code, absl::string_view reason, absl::string_view message,
                     Metadata metadata = {});

// NotFound that names the candidates nearest to `asked`, at most ten, best first.
// `what` is e.g. "service"; `hint` says what to do when none of them is meant.
absl::Status UnknownName(absl::string_view reason, absl::string_view what, absl::string_view asked,
                         const std::vector<std::string>& candidates, absl::string_view hint,
                         Metadata metadata = {});

// Aborted: the object is not at the revision that the caller expected.
absl::Status RevisionConflict(absl::string_view object, int64_t expected, int64_t actual);

// The same status under another reason, for messages that a lower layer has already made.
absl::Status WithReason(const absl::Status& status, absl::string_view reason,
                        Metadata metadata = {});

// DataLoss: the bytes under `key` are none that a registry writes there.
absl::Status Damaged(absl::string_view key);

// Of the payload; empty without one.
std::string ReasonOf(const absl::Status& status);

// Something is wrong with this change, and not with the registry or its store: others may go on.
bool IsRefusal(const absl::Status& status);

// The candidates nearest to `word`, best first, at most `limit`.
std::vector<std::string> NearestNames(absl::string_view word, std::vector<std::string> candidates,
                                      size_t limit);

}  // namespace pinion::model
