// Where things stand in a configuration file, and the errors found there. Values of the loading
// thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"

namespace pinion::config {

// 1-based, columns in bytes, as editors and compilers count. Line 0: the file as a whole.
struct Position {
  int line = 0;
  int column = 0;

  friend auto operator<=>(const Position&, const Position&) = default;
};

// Collects all errors of one file, so that a person mends them in one go. Keeps the first
// kMaxErrors and counts the others.
class ErrorList {
 public:
  // More than a screenful helps nobody, and one early slip may cause hundreds.
  static constexpr size_t kMaxErrors = 20;

  // `filename` as messages shall show it.
  explicit ErrorList(std::string_view filename) : filename_(filename) {}

  // Control characters are shown as \x1b.
  void Add(Position position, const std::string& message);

  bool empty() const { return errors_.empty(); }

  // OK when empty; else InvalidArgument with a line `file:line:column: message` for each error, in
  // the order of the file.
  absl::Status ToStatus() const;

 private:
  struct Error {
    Position position;
    std::string message;
  };

  std::string filename_;
  std::vector<Error> errors_;
  size_t dropped_ = 0;
};

}  // namespace pinion::config
