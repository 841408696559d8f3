// Where the findings of PINION come together: one for each rule and element, however many ways lead
// to it. One thread.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "registry/compat/finding.h"
#include "registry/compat/places.h"

namespace pinion::compat {

class Collector {
 public:
  // `rule`: of PinionAdvice. Several for one rule and symbol become one, as severe as the most
  // severe, with the message of each, as far as somebody would read on.
  void Add(absl::string_view rule, Severity severity, absl::string_view symbol, const File* file,
           const std::optional<Place>& place, absl::string_view message);

  std::vector<Finding> Take() &&;

 private:
  std::map<std::pair<std::string, std::string>, Finding> findings_;  // by rule and symbol
};

bool IsPinionRule(absl::string_view rule);

// What to do instead. REQUIRES: a rule of PINION.
absl::string_view PinionAdvice(absl::string_view rule);

}  // namespace pinion::compat
