// A backup becomes a registry again, in an empty store: docs/backup.md. Runs in `pinion restore`,
// beside no registry; blocking, on the caller's thread.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "base/clock.h"
#include "pinion/registry/v1/backup.pb.h"
#include "registry/store/store.h"

namespace pinion::service {

struct RestoreOptions {
  std::string actor;
  // Also if the audit log in the backup is not what was written.
  bool accept_damaged_audit = false;
  // How many records of how many are written; may be empty.
  std::function<void(int64_t done, int64_t total)> progress = {};
};

struct Restored {
  std::string registry_id;            // of the registry that it is now
  registry::v1::BackupHeader header;  // of the backup
  int64_t records = 0;
  int64_t leases = 0;  // of instances, which have their full TTL from the registry's start on
};

// DataLoss: the file is no whole backup, or the audit log in it is damaged. FailedPrecondition: the
// store is not empty, or only newer programs can work with the backup. Nothing was written then.
// After any other error the store is one that registries refuse to open.
absl::StatusOr<Restored> Restore(const std::string& path, store::Store& store, const Clock& clock,
                                 const RestoreOptions& options);

}  // namespace pinion::service
