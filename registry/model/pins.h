// The rules of pins: what a change records, and where a rollback leads. Pure.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "pinion/registry/v1/registry.pb.h"

namespace pinion::model {

// Where a rollback goes.
struct RollbackTarget {
  int64_t sequence = 0;
  std::string expression;
};

// The newest record of `newest_first` before the current state whose expression differs from it:
// after A, B a rollback leads to A, and another to B again. With `to_sequence` that record.
// `newest_first` is a prefix of the pin's history. NotFound: no history, or no record
// `to_sequence`; FailedPrecondition (NOTHING_TO_ROLL_BACK): no earlier expression.
absl::StatusOr<RollbackTarget> FindRollback(
    const std::vector<registry::v1::PinChange>& newest_first, int64_t to_sequence,
    absl::string_view pin);

// "billing addressbook", "billing addressbook /acme.AddressBook/Get": as people write it.
std::string PinName(const routing::v1::Pin& pin);

}  // namespace pinion::model
