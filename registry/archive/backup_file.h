// Backups as files: what ReadBackup has sent, in its order.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "pinion/registry/v1/backup.pb.h"
#include "registry/archive/part_file.h"
#include "registry/model/backup_digest.h"

namespace pinion::archive {

// Checks that parts come as ReadBackup sends them and that they are what was sent. A value; one
// thread.
class BackupCheck {
 public:
  // DataLoss: they are not.
  absl::Status Add(const registry::v1::BackupPart& part);
  // DataLoss: the end is missing.
  absl::Status CheckWhole() const;

  const registry::v1::BackupHeader& header() const { return header_; }
  int64_t pairs() const { return digest_.pairs(); }

 private:
  absl::Status AddPairs(const registry::v1::StoredPairs& pairs);

  registry::v1::BackupHeader header_;
  bool begun_ = false;
  bool ended_ = false;
  std::string last_key_;
  model::BackupDigest digest_;
};

// Reads the whole file and shows each pair, by key; ends at the first error of `visit`. What was
// shown counts only if the result is OK. DataLoss: it is not a backup, or not whole.
absl::StatusOr<registry::v1::BackupHeader> ReadBackupFile(
    const std::string& path,
    const std::function<absl::Status(const registry::v1::StoredPair&)>& visit);

}  // namespace pinion::archive
