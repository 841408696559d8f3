// Files of a test: a fresh directory that goes with the object, so that a test leaves nothing
// behind and may run twice at once.
#pragma once

#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "base/check.h"
#include "gtest/gtest.h"

namespace pinion::testing {

class TempDirectory {
 public:
  TempDirectory() { CHECK(::mkdtemp(path_.data()) != nullptr); }
  ~TempDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempDirectory(const TempDirectory&) = delete;
  TempDirectory& operator=(const TempDirectory&) = delete;

  const std::string& path() const { return path_; }
  // Of a file in it, whether it is there or not.
  std::string Path(absl::string_view name) const { return absl::StrCat(path_, "/", name); }
  // Writes a file in it and returns its path.
  std::string Write(absl::string_view name, absl::string_view text) const {
    std::ofstream(Path(name), std::ios::binary | std::ios::trunc) << text;
    return Path(name);
  }

 private:
  std::string path_ = ::testing::TempDir() + "pinion.XXXXXX";
};

// What is in a file; empty where there is none.
inline std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace pinion::testing
