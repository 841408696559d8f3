// Inputs that are files of records: the first byte says whether the rest is the file itself, or the
// records in it (a Piece() each), which then have good checksums whatever they hold.
#pragma once

#include <string>

#include "tests/fuzz/target.h"

namespace pinion::fuzz {

// Of this process, in memory where there is such a place; gone with it.
class Folder {
 public:
  Folder();
  ~Folder();
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// Makes the file at `path` what `input` says.
void WriteRecords(const std::string& path, absl::string_view input);

}  // namespace pinion::fuzz
