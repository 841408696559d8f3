#include "gateway/proxy/grpc_timeout.h"

#include <cstdint>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace pinion::proxy {
namespace {

struct Unit {
  char letter;
  absl::Duration length;
};

constexpr int64_t kDigitsMax = 99999999;

// Finest first.
const Unit kUnits[] = {{'n', absl::Nanoseconds(1)},  {'u', absl::Microseconds(1)},
                       {'m', absl::Milliseconds(1)}, {'S', absl::Seconds(1)},
                       {'M', absl::Minutes(1)},      {'H', absl::Hours(1)}};

}  // namespace

std::optional<absl::Duration> ParseGrpcTimeout(absl::string_view text) {
  if (text.size() < 2 || text.size() > 9) return std::nullopt;
  int64_t value = 0;
  for (char c : text.substr(0, text.size() - 1)) {
    if (!absl::ascii_isdigit(static_cast<unsigned char>(c))) return std::nullopt;
    value = value * 10 + (c - '0');
  }
  for (const Unit& unit : kUnits) {
    if (unit.letter == text.back()) return value * unit.length;
  }
  return std::nullopt;
}

std::string FormatGrpcTimeout(absl::Duration timeout) {
  if (timeout <= absl::ZeroDuration()) return "0n";
  for (const Unit& unit : kUnits) {
    absl::Duration rest;
    const int64_t value = absl::IDivDuration(timeout, unit.length, &rest);
    if (value <= kDigitsMax) return absl::StrCat(value, std::string(1, unit.letter));
  }
  return absl::StrCat(kDigitsMax, "H");
}

}  // namespace pinion::proxy
