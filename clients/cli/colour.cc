#include "clients/cli/colour.h"

#include "absl/strings/str_cat.h"

namespace pinion::cli {
namespace {

// ECMA-48, Select Graphic Rendition.
absl::string_view Code(Colour colour) {
  switch (colour) {
    case Colour::kRed:
      return "\x1b[31m";
    case Colour::kYellow:
      return "\x1b[33m";
    case Colour::kGreen:
      return "\x1b[32m";
  }
  return "";
}

}  // namespace

std::string Paint(Colour colour, absl::string_view text, const Environment& environment) {
  if (!environment("NO_COLOR").value_or("").empty() || environment("TERM").value_or("") == "dumb") {
    return std::string(text);
  }
  return absl::StrCat(Code(colour), text, "\x1b[0m");
}

}  // namespace pinion::cli
