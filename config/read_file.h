// A whole file as bytes.
#pragma once

#include <cstddef>
#include <string>

#include "absl/status/statusor.h"

namespace pinion::config {

// InvalidArgument: not readable, not a regular file (or pipe), or larger than `bytes_max`; the
// message says which, without the path.
absl::StatusOr<std::string> ReadFile(const std::string& path, size_t bytes_max);

}  // namespace pinion::config
