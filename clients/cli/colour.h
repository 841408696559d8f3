// Colours of a terminal. Pure; any thread.
#pragma once

#include <string>

#include "absl/strings/string_view.h"
#include "clients/cli/settings.h"

namespace pinion::cli {

enum class Colour { kRed, kYellow, kGreen };

// `text` in a colour, unless the user wants none (a NO_COLOR that is not empty) or the terminal has
// none (TERM=dumb). REQUIRES: it is printed to a terminal.
std::string Paint(Colour colour, absl::string_view text, const Environment& environment);

}  // namespace pinion::cli
