// What to do instead, where the rules of the standard categories and those of PINION say the same.
#pragma once

#include "absl/strings/string_view.h"

namespace pinion::compat {

inline constexpr absl::string_view kNewField =
    "add a new field under a new number, and keep the old one until nobody uses it";
inline constexpr absl::string_view kNewMethod =
    "add a new method, and keep the old one until nobody calls it";
inline constexpr absl::string_view kKeepReserved = "reserve it again: a reservation costs nothing";
inline constexpr absl::string_view kKeepRequired =
    "leave required fields as they are, and check in the server what a request must have";
inline constexpr absl::string_view kKeepLevel = "keep the level, or add a new method";
inline constexpr absl::string_view kKeepDefault =
    "keep the default, or add a new field with the new one";

}  // namespace pinion::compat
