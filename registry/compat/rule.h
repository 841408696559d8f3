// What a rule of the standard categories is: an identifier, the categories that it is in, and a
// check of one pair of elements, old and new. The rules themselves are one file for each kind of
// element (field_rules.cc …); the table of all is rules.cc.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "registry/compat/elements.h"
#include "registry/compat/finding.h"
#include "registry/compat/places.h"

namespace pinion::compat {

// An element that both schemas have, and the schemas around it.
template <typename T>
struct Pair {
  const T& before;
  const T& now;
  const Elements& all_before;
  const Elements& all_now;
};

// Takes what a check finds. A finding in a file that is not compared is dropped.
class Reporter {
 public:
  // What the finding is about, and which files decide whether it is compared.
  struct Subject {
    const Element& before;
    const File& now;
  };

  Reporter(absl::string_view rule, absl::string_view advice, std::vector<Finding>& out)
      : rule_(rule), advice_(advice), out_(out) {}

  // `place`: in the new schema; nullopt: in the file that `subject` is in now.
  void Add(const Subject& subject, const std::optional<Place>& place, std::string message) {
    AddAs(subject.before.full_name, *subject.before.file, subject.now, place, std::move(message));
  }
  void AddAs(std::string symbol, const File& before, const File& now,
             const std::optional<Place>& place, std::string message) {
    if (!before.is_compared() || !now.is_compared()) return;
    out_.push_back({.rule = std::string(rule_),
                    .path = place ? place->file->proto->name() : now.proto->name(),
                    .line = place ? place->line : 1,
                    .column = place ? place->column : 1,
                    .symbol = std::move(symbol),
                    .message = std::move(message),
                    .advice = std::string(advice_)});
  }

 private:
  absl::string_view rule_;
  absl::string_view advice_;
  std::vector<Finding>& out_;
};

using FileCheck = void (*)(const Pair<File>&, Reporter&);
using MessageCheck = void (*)(const Pair<Message>&, Reporter&);
using FieldCheck = void (*)(const Pair<Field>&, Reporter&);  // extensions too
using EnumCheck = void (*)(const Pair<Enum>&, Reporter&);
using MethodCheck = void (*)(const Pair<Method>&, Reporter&);

enum StandardCategory : unsigned { kWire = 1, kWireJson = 2 };

struct Rule {
  absl::string_view id;
  unsigned categories;  // of StandardCategory
  absl::string_view advice;
  std::variant<FileCheck, MessageCheck, FieldCheck, EnumCheck, MethodCheck> check;
};

// Every rule of WIRE and WIRE_JSON, by identifier.
absl::Span<const Rule> StandardRules();

}  // namespace pinion::compat
