// Numbers and names that messages and enums reserve stay reserved.
#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "registry/compat/element_rules.h"
#include "registry/compat/number_ranges.h"

namespace pinion::compat {
namespace {

// Messages and enums reserve in the same words.
template <typename Element>
void ReservationsStay(const Pair<Element>& pair, Reporter& report) {
  for (const NumberRange& range :
       Uncovered(ReservedRanges(*pair.before.proto), NumberSet(ReservedRanges(*pair.now.proto)))) {
    report.Add({pair.before, *pair.now.file}, PlaceOf(pair.now),
               absl::StrCat("numbers ", RangeText(range),
                            " were reserved and are not any more, at least not all of them: used "
                            "again, they would be read as what they once were"));
  }
  const auto& reserved = pair.now.proto->reserved_name();
  const std::set<absl::string_view> names(reserved.begin(), reserved.end());
  for (const std::string& name : pair.before.proto->reserved_name()) {
    if (names.contains(name)) continue;
    report.Add({pair.before, *pair.now.file}, PlaceOf(pair.now),
               absl::StrCat("the name \"", name, "\" was reserved and is not any more"));
  }
}

}  // namespace

void ReservedEnumNoDelete(const Pair<Enum>& pair, Reporter& report) {
  ReservationsStay(pair, report);
}

void ReservedMessageNoDelete(const Pair<Message>& pair, Reporter& report) {
  ReservationsStay(pair, report);
}

}  // namespace pinion::compat
