#include "registry/model/pins.h"

#include "absl/strings/str_cat.h"
#include "registry/model/errors.h"

namespace pinion::model {

using registry::v1::PinChange;

absl::StatusOr<RollbackTarget> FindRollback(const std::vector<PinChange>& newest_first,
                                            int64_t to_sequence, absl::string_view pin) {
  const std::string name(pin);
  if (to_sequence != 0) {
    for (const PinChange& change : newest_first) {
      if (change.sequence() == to_sequence && !change.expression().empty()) {
        return RollbackTarget{change.sequence(), change.expression()};
      }
    }
    return Refusal(absl::StatusCode::kNotFound, "PIN_NOT_FOUND",
                   absl::StrCat("pin ", name, " has no expression under sequence ", to_sequence,
                                "; see its history"),
                   {{"pin", name}, {"sequence", absl::StrCat(to_sequence)}});
  }
  if (newest_first.empty()) {
    return Refusal(absl::StatusCode::kNotFound, "PIN_NOT_FOUND",
                   absl::StrCat("there is no pin ", name, ", nor was there ever one; set it first"),
                   {{"pin", name}});
  }
  const std::string& current = newest_first.front().expression();
  for (const PinChange& change : newest_first) {
    if (!change.expression().empty() && change.expression() != current) {
      return RollbackTarget{change.sequence(), change.expression()};
    }
  }
  return Refusal(absl::StatusCode::kFailedPrecondition, "NOTHING_TO_ROLL_BACK",
                 absl::StrCat("pin ", name, " has had no other expression than '", current,
                              "'; to remove it, unset it"),
                 {{"pin", name}, {"expression", current}});
}

std::string PinName(const routing::v1::Pin& pin) {
  return absl::StrCat(pin.consumer(), " ", pin.service(), pin.method().empty() ? "" : " ",
                      pin.method());
}

}  // namespace pinion::model
