// What a gateway starts from when the registry is away: a file of records that a disk may have
// spoilt. The first byte says whether the rest is the file itself, or the records in it (a Piece()
// each), which then have good checksums whatever they hold.
#include "gateway/watch/recording.h"

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/record_file.h"
#include "gateway/watch/watch_messages.h"
#include "tests/fuzz/target.h"

namespace pinion::fuzz {
namespace {

namespace fs = std::filesystem;

// Of this process, in memory where there is such a place; gone with it.
class Folder {
 public:
  Folder() {
    const fs::path base = fs::is_directory("/dev/shm") ? "/dev/shm" : fs::temp_directory_path();
    path_ = (base / absl::StrCat("pinion-fuzz.", ::getpid())).native();
    fs::create_directories(path_);
  }
  ~Folder() { fs::remove_all(path_); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

void WriteFile(const std::string& path, bool raw, Input& input) {
  if (raw) {
    std::ofstream(path, std::ios::binary | std::ios::trunc) << input.rest();
    return;
  }
  auto writer = RecordWriter::Create(path);
  CHECK(writer.ok());
  while (!input.empty()) CHECK((*writer)->Append(input.Piece()).ok());
  CHECK((*writer)->Sync().ok());
}

}  // namespace

std::vector<std::string> Seeds() {
  const std::string snapshot = watch::Snapshot("r", 5).SerializeAsString();
  const std::string pin = watch::PinSet("r", 6, "^2").SerializeAsString();
  const std::string unpinned = watch::PinSet("r", 7, "@stable").SerializeAsString();
  const std::string schema = watch::Message(R"pb(registry_id: "r"
                                                 snapshot { first: true revision: 9 })pb")
                                 .SerializeAsString();
  return {std::string(1, '\1') + Piece(snapshot) + Piece(pin) + Piece(unpinned),
          std::string(1, '\1') + Piece(snapshot) + Piece(schema) + Piece(pin),
          std::string("\0PINREC1\n\1\0\0\0\0\0\0\0x", 18)};
}

void Run(absl::string_view input) {
  static const Folder folder;
  Input bytes(input);
  const bool raw = bytes.Byte() % 2 == 0;
  const std::string path = folder.path() + "/routing.snapshot";
  WriteFile(path, raw, bytes);

  auto recording = watch::Recording::Open(folder.path());
  CHECK(recording.ok());
  watch::RoutingState state("gw");
  std::vector<std::string> remarks;
  const absl::Status status = (*recording)->Load(state, remarks);
  if (!status.ok()) {
    CHECK(status.code() == absl::StatusCode::kNotFound ||
          status.code() == absl::StatusCode::kDataLoss);
    return;
  }
  CHECK(state.changed());
  const auto table = state.TakeTable();
  if (table.ok()) CHECK(!watch::VersionFor(**table).empty());
  // It goes on from there.
  state.Receive(watch::PinSet(state.registry_id(), state.revision() + 1, "1.0.0")).IgnoreError();
}

}  // namespace pinion::fuzz
