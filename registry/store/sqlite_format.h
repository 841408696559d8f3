// The store's file: its tables, and what makes a file one of ours. A part of SqliteStore.
//
//   kv     every state of every key that is not compacted: one row per (key, mod_revision).
//          `replaced_by` is the revision that ended the state, kForever for the newest one;
//          `version` 0 is a deletion. A state is therefore visible at revision R if mod_revision <=
//          R < replaced_by, the newest states are a partial index, and a watch is a range scan of
//          the index by revision.
//   lease  id and TTL
//   meta   revision, compact_revision
#pragma once

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "registry/store/sqlite_database.h"
#include "registry/store/store.h"

namespace pinion::store {

inline constexpr int64_t kForever = INT64_MAX;
inline constexpr int64_t kFormatVersion = 1;

// Opens `path` for writing, creates it if missing, and makes sure that it is whole, ours, and of a
// version that this program knows. Any other file: FailedPrecondition or DataLoss with one message
// that says what to do; it is not touched.
absl::StatusOr<std::unique_ptr<Database>> OpenStoreFile(const std::string& path);

// Holds `path`.lock as long as it lives, so that no two processes write one store; the kernel frees
// it when a process dies.
class FileLock {
 public:
  // FailedPrecondition: another process has it.
  static absl::StatusOr<FileLock> Acquire(const std::string& path);
  FileLock() = default;
  FileLock(FileLock&& other) noexcept : fd_(other.fd_) { other.fd_ = -1; }
  FileLock& operator=(FileLock&& other) noexcept;
  ~FileLock();

 private:
  explicit FileLock(int fd) : fd_(fd) {}
  int fd_ = -1;
};

// Makes the directory entry of a new file durable.
absl::Status SyncDirectoryOf(const std::string& path);

}  // namespace pinion::store
