// The process's own log: what an operator should know and no caller is told. One line each on
// standard error with time, level and the part of the program that speaks. Thread-safe; never for
// what happens on every call.
#pragma once

#include "absl/strings/string_view.h"

namespace pinion::log {

enum class Level { kDebug, kInfo, kWarning, kError, kOff };

// Lines below `level` are dropped; kInfo at first.
void SetLevel(Level level);

// `part` is the folder that speaks, for example "watch".
void Debug(absl::string_view part, absl::string_view message);
void Info(absl::string_view part, absl::string_view message);
void Warning(absl::string_view part, absl::string_view message);
void Error(absl::string_view part, absl::string_view message);

}  // namespace pinion::log
