// A backup that a disk or a person may have spoilt, restored: it is refused and nothing is written,
// or it becomes a registry that opens.
#include <string>
#include <vector>

#include "base/check.h"
#include "base/clock.h"
#include "pinion/registry/v1/records.pb.h"
#include "registry/archive/backup_file.h"
#include "registry/model/keys.h"
#include "registry/service/registry.h"
#include "registry/service/restore.h"
#include "registry/store/memory_store.h"
#include "tests/fuzz/record_input.h"

namespace pinion::fuzz {
namespace {

using registry::v1::BackupPart;

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
  static const Folder folder;
  const std::string path = folder.path() + "/registry.backup";
  WriteRecords(path, input);
  store::MemoryStore store(SystemClock());
  const auto restored = service::Restore(path, store, SystemClock(), {.actor = "fuzz"});
  if (!restored.ok() && store.revision() == 1) return;  // refused
  CHECK(service::Registry::Open(store, SystemClock()).ok() == restored.ok());
}

}  // namespace pinion::fuzz
