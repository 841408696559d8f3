#include "registry/store/outcome.h"

#include "absl/strings/cord.h"

namespace pinion::store {
namespace {

// Marks the status; absl wants a URL.
constexpr char kMark[] = "pinion.store/outcome-unknown";

}  // namespace

absl::Status OutcomeUnknown(absl::string_view message) {
  absl::Status status = absl::UnavailableError(message);
  status.SetPayload(kMark, absl::Cord());
  return status;
}

bool IsOutcomeUnknown(const absl::Status& status) { return status.GetPayload(kMark).has_value(); }

}  // namespace pinion::store
