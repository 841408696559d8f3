// What a comparison finds. Values.
#pragma once

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace pinion::compat {

// kBreaking: calls fail, or what is read is not what was written. kDangerous: calls work, but some
// values are lost or change their meaning. kNote: nothing changes yet, but a protection is gone.
enum class Severity { kBreaking, kDangerous, kNote };

absl::string_view SeverityName(Severity severity);  // "breaking", "dangerous", "note"

struct Finding {
  std::string rule;  // FIELD_SAME_NAME
  Severity severity = Severity::kBreaking;
  // In the new schema, the beginning of the file where the set does not say more. Empty and 0: the
  // element is gone with its file.
  std::string path;
  int line = 0;
  int column = 0;
  std::string
      symbol;  // full name of the element that changed, in the old schema where it was there
  std::string message;  // what changed, and what breaks for whom
  std::string advice;   // what to do instead

  friend bool operator==(const Finding&, const Finding&) = default;
};

// By place, then by rule and symbol; equal ones once.
void SortFindings(std::vector<Finding>& findings);

// "acme/v1/a.proto:7:3: breaking FIELD_SAME_NAME acme.v1.A.b: … (advice)"
std::string FindingText(const Finding& finding);

}  // namespace pinion::compat
