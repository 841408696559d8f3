// Everything there is, at one revision: docs/backup.md.
#include "absl/strings/match.h"
#include "base/status_macros.h"
#include "registry/model/backup_digest.h"
#include "registry/model/keys.h"
#include "registry/model/store_format.h"
#include "registry/service/audit_log.h"
#include "registry/service/consistent_read.h"
#include "registry/service/operations.h"

namespace pinion::service {
namespace {

constexpr size_t kPartBytes = 512 * 1024;

// Of reading alone: nothing of the registry's.
bool IsPassing(const std::string& key) { return absl::StartsWith(key, model::kHeld); }

absl::StatusOr<v1::BackupHeader> HeaderAt(Registry& registry, store::Revision revision) {
  v1::BackupHeader header;
  ASSIGN_OR_RETURN(const v1::RegistryIdentity identity, ReadIdentity(registry.store(), revision));
  header.set_registry_id(identity.id());
  header.set_revision(revision);
  *header.mutable_time() = ToTimestamp(registry.clock().Wall());
  *header.mutable_format() = registry.audit_chains().format().value;
  return header;
}

}  // namespace

absl::Status ReadBackup(Registry& registry, const Caller& caller, const v1::ReadBackupRequest&,
                        const BackupSink& send) {
  ASSIGN_OR_RETURN(const auto read, ConsistentRead::Begin(registry, caller, "registry.backup"));
  v1::BackupPart part;
  ASSIGN_OR_RETURN(*part.mutable_header(), HeaderAt(registry, read->revision()));
  ASSIGN_OR_RETURN(const store::RangeResult count,
                   registry.store().Range({.range = store::KeyRange::Prefix(model::kEveryKey),
                                           .revision = read->revision(),
                                           .count_only = true}));
  part.mutable_header()->set_pairs_estimate(count.count);
  RETURN_IF_ERROR(send(part));
  part.Clear();

  model::BackupDigest digest;
  size_t bytes = 0;
  RETURN_IF_ERROR(read->ForEach(store::KeyRange::Prefix(model::kEveryKey),
                                [&](const store::KeyValue& kv) -> absl::Status {
                                  if (IsPassing(kv.key)) return absl::OkStatus();
                                  v1::StoredPair& pair = *part.mutable_pairs()->add_pairs();
                                  pair.set_key(kv.key);
                                  pair.set_value(kv.value);
                                  pair.set_lease(kv.lease);
                                  digest.Add(pair);
                                  bytes += kv.key.size() + kv.value.size();
                                  if (bytes < kPartBytes) return absl::OkStatus();
                                  bytes = 0;
                                  const absl::Status sent = send(part);
                                  part.Clear();
                                  return sent;
                                }));
  if (part.has_pairs()) RETURN_IF_ERROR(send(part));
  part.Clear();
  *part.mutable_end() = digest.End();
  return send(part);
}

}  // namespace pinion::service
