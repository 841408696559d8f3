// A whole file as bytes.
#pragma once

#include <cstddef>
#include <string>

#include "absl/status/statusor.h"

namespace pinion {

// Reads a regular file, or to its end what the process was given open (/dev/stdin, /dev/fd/N).
// Another pipe could have nobody at its other end, and a device no end. InvalidArgument: it is none
// of these, not readable, or larger than `bytes_max`; the message says which, without the path.
absl::StatusOr<std::string> ReadFile(const std::string& path, size_t bytes_max);

}  // namespace pinion
