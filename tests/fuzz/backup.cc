// A backup that a disk or a person may have spoilt, restored: it is refused and nothing is written,
// or it becomes a registry that opens. The first byte says whether the rest is the file itself, or
// the messages in it (a Piece() each), which then have good checksums whatever they hold.
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/record_file.h"
#include "pinion/registry/v1/records.pb.h"
#include "registry/archive/backup_file.h"
#include "registry/model/keys.h"
#include "registry/service/registry.h"
#include "registry/service/restore.h"
#include "registry/store/memory_store.h"
#include "tests/fuzz/target.h"

namespace pinion::fuzz {
namespace {

namespace fs = std::filesystem;
using registry::v1::BackupPart;

// Of this process, in memory where there is such a place; gone with it.
class File {
 public:
  File() {
    const fs::path base = fs::is_directory("/dev/shm") ? "/dev/shm" : fs::temp_directory_path();
    path_ = (base / absl::StrCat("pinion-fuzz-backup.", ::getpid())).native();
  }
  ~File() { fs::remove(path_); }
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

void AddPair(const std::string& key, const std::string& value, int64_t lease, BackupPart& part,
             model::BackupDigest& digest) {
  auto& pair = *part.mutable_pairs()->add_pairs();
  pair.set_key(key);
  pair.set_value(value);
  pair.set_lease(lease);
  digest.Add(pair);
}

// A small registry with an instance that has a lease.
std::string Whole() {
  BackupPart header, pairs, end;
  header.mutable_header()->set_registry_id("r");
  header.mutable_header()->set_revision(7);
  model::BackupDigest digest;
  registry::v1::RegistryIdentity identity;
  identity.set_id("r");
  registry::v1::Instance instance;
  instance.mutable_lease_ttl()->set_seconds(30);
  AddPair(model::kRegistryKey, identity.SerializeAsString(), 0, pairs, digest);
  AddPair(model::InstanceKey("s", "1", "u"), instance.SerializeAsString(), 5, pairs, digest);
  *end.mutable_end() = digest.End();
  return std::string(1, '\1') + Piece(archive::kBackupKind) + Piece(header.SerializeAsString()) +
         Piece(pairs.SerializeAsString()) + Piece(end.SerializeAsString());
}

}  // namespace

std::vector<std::string> Seeds() {
  return {Whole(), std::string("\0PINREC1\n\1\0\0\0\0\0\0\0x", 18)};
}

void Run(absl::string_view input) {
  static const File file;
  Input bytes(input);
  const bool raw = bytes.Byte() % 2 == 0;
  WriteFile(file.path(), raw, bytes);
  store::MemoryStore store(SystemClock());
  const auto restored = service::Restore(file.path(), store, SystemClock(), {.actor = "fuzz"});
  if (!restored.ok() && store.revision() == 1) return;  // refused
  CHECK(service::Registry::Open(store, SystemClock()).ok() == restored.ok());
}

}  // namespace pinion::fuzz
