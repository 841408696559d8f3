#include "registry/service/restore.h"

#include <map>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/counted.h"
#include "base/proto_duration.h"
#include "base/status_macros.h"
#include "pinion/registry/v1/records.pb.h"
#include "registry/archive/backup_file.h"
#include "registry/model/audit_verifier.h"
#include "registry/model/keys.h"
#include "registry/model/store_format.h"
#include "registry/service/draft.h"

namespace pinion::service {
namespace {

using registry::v1::StoredPair;

// Well within what a transaction may have.
constexpr size_t kPutsAtOnce = 100;
constexpr size_t kBytesAtOnce = 1024 * 1024;

// What is known of a backup before anything of it is written.
struct Contents {
  registry::v1::BackupHeader header;
  registry::v1::RegistryIdentity identity;
  registry::v1::AuditLogState audit;
  int64_t records = 0;
  std::map<int64_t, absl::Duration> leases;  // of instances: their TTL
};

absl::Status Note(const StoredPair& pair, Contents& contents) {
  ++contents.records;
  const store::KeyValue kv{.key = pair.key(), .value = pair.value()};
  if (pair.key() == model::kRegistryKey) {
    ASSIGN_OR_RETURN(auto identity, Decode<registry::v1::RegistryIdentity>(kv));
    contents.identity = std::move(identity.value);
  } else if (pair.key() == model::kAuditTrimKey) {
    ASSIGN_OR_RETURN(const auto trim, Decode<registry::v1::AuditTrim>(kv));
    *contents.audit.mutable_trimmed_to() = trim.value.trimmed_to();
    *contents.audit.mutable_begins_after() = trim.value.trimmed_to();
  } else if (absl::StartsWith(pair.key(), model::kAuditHeads)) {
    ASSIGN_OR_RETURN(const auto head, Decode<registry::v1::AuditHead>(kv));
    *contents.audit.add_heads() = head.value;
  } else if (pair.lease() != 0 && absl::StartsWith(pair.key(), model::kInstances)) {
    ASSIGN_OR_RETURN(const auto instance, Decode<registry::v1::Instance>(kv));
    contents.leases[pair.lease()] = FromProto(instance.value.lease_ttl());
  }
  return absl::OkStatus();
}

absl::Status InFile(const std::string& path, const absl::Status& status) {
  return status.ok()
             ? status
             : absl::Status(status.code(), absl::StrCat("backup ", path, ": ", status.message(),
                                                        "; nothing was restored"));
}

absl::StatusOr<Contents> Read(const std::string& path) {
  Contents contents;
  ASSIGN_OR_RETURN(contents.header, archive::ReadBackupFile(path, [&](const StoredPair& pair) {
                     return Note(pair, contents);
                   }));
  if (contents.identity.id() != contents.header.registry_id()) {
    return absl::DataLossError("it holds another registry's identity than it says");
  }
  contents.audit.set_registry_id(contents.identity.id());
  *contents.audit.mutable_restored_from() = contents.identity.restored_from();
  RETURN_IF_ERROR(model::CheckReadable(contents.header.format()));
  return contents;
}

// Records that older programs have appended are no reason to refuse.
absl::Status VerifyAudit(const std::string& path, const Contents& contents) {
  // Of a store without chains there is nothing to verify.
  if (contents.audit.heads().empty()) return absl::OkStatus();
  model::AuditVerifier verifier(contents.audit, model::AuditExtent::kWhole);
  const absl::string_view prefix = model::kAudit;
  RETURN_IF_ERROR(archive::ReadBackupFile(path, [&](const StoredPair& pair) {
                    if (!absl::StartsWith(pair.key(), prefix)) return absl::OkStatus();
                    registry::v1::AuditEntry entry;
                    entry.set_id(pair.key().substr(prefix.size()));
                    entry.set_record(pair.value());
                    verifier.Add(entry);
                    return absl::OkStatus();
                  }).status());
  verifier.End(contents.audit);
  const int64_t wrong = verifier.findings_total() - verifier.unchained_total();
  if (wrong == 0) return absl::OkStatus();
  std::string first;
  for (const model::AuditFinding& finding : verifier.findings()) {
    if (finding.kind != model::AuditFinding::Kind::kUnchained && first.empty()) {
      first = finding.message;
    }
  }
  return absl::DataLossError(absl::StrCat(
      "its audit log is not what was written (", Counted(wrong, "finding"), ", the first: ", first,
      "); take another backup, or restore it all the same with --accept-damaged-audit"));
}

absl::Status CheckEmpty(store::Store& store) {
  ASSIGN_OR_RETURN(
      const store::RangeResult any,
      store.Range(
          {.range = store::KeyRange::Prefix(model::kEveryKey), .limit = 1, .keys_only = true}));
  if (any.kvs.empty()) return absl::OkStatus();
  ASSIGN_OR_RETURN(const store::RangeResult restoring,
                   store.Range({.range = store::KeyRange::Single(model::kRestoringKey)}));
  const absl::string_view what =
      restoring.kvs.empty() ? "holds a registry" : "holds a part of a restore that was interrupted";
  return absl::FailedPreconditionError(
      absl::StrCat("the store (", store.Describe(), ") ", what,
                   ", and a backup is restored into an empty one: name another place, or delete it "
                   "if nothing in it is needed"));
}

// Writes pairs, as many in a transaction as fit.
class PairWriter {
 public:
  explicit PairWriter(store::Store& store) : store_(store) {}

  absl::Status Put(const std::string& key, const std::string& value, store::LeaseId lease) {
    const size_t bytes = key.size() + value.size();
    if (!txn_.then.empty() && (txn_.then.size() == kPutsAtOnce || bytes_ + bytes > kBytesAtOnce)) {
      RETURN_IF_ERROR(Flush());
    }
    txn_.then.push_back(store::Put{key, value, lease});
    bytes_ += bytes;
    return absl::OkStatus();
  }
  absl::Status Flush() {
    if (txn_.then.empty()) return absl::OkStatus();
    bytes_ = 0;
    return store_.Commit(std::exchange(txn_, {})).status();
  }

 private:
  store::Store& store_;
  store::Txn txn_;
  size_t bytes_ = 0;
};

// Everything but what the end of a restore writes anew. What hangs on the lease of an instance
// comes last, each with a new lease; other leases are of gateways, which come back by themselves.
absl::StatusOr<int64_t> WritePairs(const std::string& path, const Contents& contents,
                                   store::Store& store, const RestoreOptions& options) {
  PairWriter writer(store);
  std::map<int64_t, std::vector<StoredPair>> leased;
  int64_t done = 0;
  RETURN_IF_ERROR(archive::ReadBackupFile(path, [&](const StoredPair& pair) -> absl::Status {
                    if (options.progress && ++done % 10'000 == 0) {
                      options.progress(done, contents.records);
                    }
                    if (pair.key() == model::kRegistryKey) return absl::OkStatus();
                    if (pair.lease() == 0) return writer.Put(pair.key(), pair.value(), 0);
                    if (contents.leases.contains(pair.lease())) {
                      leased[pair.lease()].push_back(pair);
                    }
                    return absl::OkStatus();
                  }).status());
  RETURN_IF_ERROR(writer.Flush());
  for (const auto& [old, pairs] : leased) {
    ASSIGN_OR_RETURN(const store::LeaseId lease, store.GrantLease(contents.leases.at(old)));
    for (const StoredPair& pair : pairs) {
      RETURN_IF_ERROR(writer.Put(pair.key(), pair.value(), lease));
    }
    RETURN_IF_ERROR(writer.Flush());
  }
  return static_cast<int64_t>(leased.size());
}

// What the registry is from now on.
struct Ending {
  registry::v1::RegistryIdentity identity;
};
struct Ended {};

absl::StatusOr<Ended> End(Draft& draft, const Ending& ending) {
  draft.Delete(model::kRestoringKey);
  draft.Put(model::kRegistryKey, ending.identity);
  draft.Audit("registry.restore", ending.identity.id(), nullptr, &ending.identity.restored_from(0));
  return Ended();
}

absl::Status Finish(store::Store& store, const Clock& clock, const std::string& actor,
                    const Ending& ending) {
  ASSIGN_OR_RETURN(const auto registry, Registry::OfRestore(store, clock));
  return Run(*registry, End, Caller{actor}, ending).status();
}

absl::Status Interrupted(const store::Store& store, const absl::Status& status) {
  return absl::Status(
      status.code(),
      absl::StrCat("the restore was interrupted (", status.message(), "), and ", store.Describe(),
                   " holds a part of the backup, which registries refuse to open: empty it, or "
                   "delete its file, and restore again"));
}

}  // namespace

absl::StatusOr<Restored> Restore(const std::string& path, store::Store& store, const Clock& clock,
                                 const RestoreOptions& options) {
  absl::StatusOr<Contents> read = Read(path);
  if (!read.ok()) return InFile(path, read.status());
  const Contents& contents = *read;
  if (!options.accept_damaged_audit) RETURN_IF_ERROR(InFile(path, VerifyAudit(path, contents)));
  RETURN_IF_ERROR(CheckEmpty(store));

  Ending ending{.identity = contents.identity};
  ending.identity.set_id(NewId());
  *ending.identity.mutable_create_time() = ToTimestamp(clock.Wall());
  registry::v1::RestoredFrom& from = *ending.identity.add_restored_from();
  from.set_registry_id(contents.header.registry_id());
  from.set_revision(contents.header.revision());
  *from.mutable_backup_time() = contents.header.time();
  *from.mutable_restore_time() = ToTimestamp(clock.Wall());
  for (int i = ending.identity.restored_from_size() - 1; i > 0; --i) {
    ending.identity.mutable_restored_from()->SwapElements(i, i - 1);
  }

  registry::v1::Restoring restoring;
  *restoring.mutable_from() = ending.identity.restored_from(0);
  ASSIGN_OR_RETURN(
      const store::TxnResult begun,
      store.Commit({.compares = {store::Compare::Absent(model::kRegistryKey),
                                 store::Compare::Absent(model::kRestoringKey)},
                    .then = {store::Put{model::kRestoringKey, restoring.SerializeAsString()}}}));
  if (!begun.succeeded) {
    RETURN_IF_ERROR(CheckEmpty(store));
    return absl::AbortedError("somebody else writes into the store at the same time");
  }
  Restored restored{
      .registry_id = ending.identity.id(), .header = contents.header, .records = contents.records};
  const absl::StatusOr<int64_t> leases = WritePairs(path, contents, store, options);
  absl::Status status = leases.status();
  if (status.ok()) status = Finish(store, clock, options.actor, ending);
  if (!status.ok()) return Interrupted(store, status);
  restored.leases = *leases;
  return restored;
}

}  // namespace pinion::service
