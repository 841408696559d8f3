// Whether a caller may do what a request asks for, and if not, what it would take. Pure.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "registry/access/rights.h"
#include "registry/access/rules.h"

namespace pinion::access {

// What a request is about, as the store has it.
struct Object {
  enum class Kind : uint8_t { kNone, kService, kConsumer, kAllPins };

  Kind kind = Kind::kNone;
  std::string name;
  bool exists = false;
  // Who owns it; of one that does not exist, who shall.
  std::string owner;
};

// PermissionDenied: ACCESS_DENIED, in words for the caller.
absl::Status Decide(const Rights& rights, Need need, const Object& object);

// The same for a method that no rule is about.
absl::Status DenyUnknown(const Rights& rights, absl::string_view method);

}  // namespace pinion::access
