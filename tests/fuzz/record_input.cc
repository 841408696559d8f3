#include "tests/fuzz/record_input.h"

#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/record_file.h"

namespace pinion::fuzz {

namespace fs = std::filesystem;

Folder::Folder() {
  const fs::path base = fs::is_directory("/dev/shm") ? "/dev/shm" : fs::temp_directory_path();
  path_ = (base / absl::StrCat("pinion-fuzz.", ::getpid())).native();
  fs::create_directories(path_);
}

Folder::~Folder() { fs::remove_all(path_); }

void WriteRecords(const std::string& path, absl::string_view input) {
  Input bytes(input);
  if (bytes.Byte() % 2 == 0) {
    std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes.rest();
    return;
  }
  auto writer = RecordWriter::Create(path);
  CHECK(writer.ok());
  while (!bytes.empty()) CHECK((*writer)->Append(bytes.Piece()).ok());
  CHECK((*writer)->Sync().ok());
}

}  // namespace pinion::fuzz
