// A password that a configuration names by its file. Read when the file is checked, and again when
// it is used.
#pragma once

#include <string>

#include "absl/status/statusor.h"

namespace pinion::config {

// The file's text without white space at its end. InvalidArgument: it cannot be read, has more than
// 4 KiB, or holds nothing; the message names it.
absl::StatusOr<std::string> ReadPasswordFile(const std::string& path);

}  // namespace pinion::config
