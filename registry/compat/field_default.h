// What a field reads as when it is absent. Values; pure.
#pragma once

#include <string>

#include "registry/compat/elements.h"

namespace pinion::compat {

struct FieldDefault {
  enum class Kind { kText, kInteger, kFloat, kDouble };

  Kind kind = Kind::kInteger;
  std::string text;      // strings and bytes
  __int128 integer = 0;  // holds every int64 and uint64; bool and enum numbers as well
  double real = 0;       // float and double

  bool is_zero() const;
};

// REQUIRES: CanHaveDefault. `all`: where the field's enum is found.
FieldDefault DefaultOf(const Field& field, const Elements& all);

// Neither a list, a map nor a message.
bool CanHaveDefault(const Field& field);

// By value, whatever the types: text only equals text; a float equals a double that it is the
// nearest float of.
bool SameDefault(const FieldDefault& a, const FieldDefault& b);

std::string DefaultText(const FieldDefault& value);

}  // namespace pinion::compat
