#include "registry/store/sqlite_format.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"

namespace pinion::store {
namespace {

constexpr int64_t kApplicationId = 0x50494e49;  // "PINI"

constexpr char kTables[] = R"sql(
BEGIN IMMEDIATE;
CREATE TABLE kv (
  key BLOB NOT NULL,
  mod_revision INTEGER NOT NULL,
  create_revision INTEGER NOT NULL,
  version INTEGER NOT NULL,
  lease INTEGER NOT NULL,
  replaced_by INTEGER NOT NULL,
  value BLOB NOT NULL,
  PRIMARY KEY (key, mod_revision)
) WITHOUT ROWID;
CREATE INDEX kv_by_revision ON kv (mod_revision);
CREATE INDEX kv_newest ON kv (key) WHERE replaced_by = 9223372036854775807 AND version > 0;
CREATE INDEX kv_by_lease ON kv (lease) WHERE lease <> 0;
CREATE TABLE lease (id INTEGER PRIMARY KEY, ttl_ms INTEGER NOT NULL);
CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO meta VALUES ('revision', 1), ('compact_revision', 1), ('last_lease', 0);
PRAGMA application_id = 1346981449;
PRAGMA user_version = 1;
COMMIT;
)sql";
static_assert(kApplicationId == 1346981449 && kFormatVersion == 1 &&
              kForever == 9223372036854775807);

absl::Status Damaged(const std::string& path, absl::string_view detail) {
  return absl::DataLossError(
      absl::StrCat("registry store ", path, " is damaged (", detail,
                   "): move it away, and restore the last backup with `pinion restore BACKUP "
                   "--store ",
                   path, "`, or begin with an empty one"));
}

// A wrong header, not one of ours, or from the future.
absl::Status CheckFormat(const std::string& path, Database& db) {
  ASSIGN_OR_RETURN(const int64_t application, db.QueryInt("PRAGMA application_id"));
  if (application != kApplicationId) {
    return absl::FailedPreconditionError(
        absl::StrCat(path, " is an SQLite file, but not a registry store: name another path"));
  }
  ASSIGN_OR_RETURN(const int64_t version, db.QueryInt("PRAGMA user_version"));
  if (version > kFormatVersion) {
    return absl::FailedPreconditionError(
        absl::StrCat("registry store ", path, " was written by a newer pinion (format ", version,
                     ", this one knows up to ", kFormatVersion, "): run that version, or newer"));
  }
  const absl::StatusOr<std::string> check = db.QueryText("PRAGMA quick_check(1)");
  if (!check.ok()) return Damaged(path, check.status().message());
  return *check == "ok" ? absl::OkStatus() : Damaged(path, check.value());
}

absl::StatusOr<bool> IsEmpty(const std::string& path, Database& db) {
  const absl::StatusOr<int64_t> tables = db.QueryInt("SELECT count(*) FROM sqlite_master");
  if (absl::IsDataLoss(tables.status()))
    return Damaged(path, "it is not an SQLite file, or its first pages are not");
  RETURN_IF_ERROR(tables.status());
  ASSIGN_OR_RETURN(const int64_t application, db.QueryInt("PRAGMA application_id"));
  return tables.value() == 0 && application == 0;
}

std::string DirectoryOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

// A file that SQLite could only open for reading says so at the first write.
absl::Status Writable(const std::string& path, const absl::Status& status) {
  if (!absl::IsPermissionDenied(status)) return status;
  return absl::PermissionDeniedError(
      absl::StrCat("registry store ", path,
                   " cannot be written: check that the file and its directory are writable by this "
                   "user, and that the file system is not mounted read-only"));
}

}  // namespace

absl::StatusOr<std::unique_ptr<Database>> OpenStoreFile(const std::string& path) {
  absl::StatusOr<std::unique_ptr<Database>> opened =
      Database::Open(path, Database::Mode::kReadWrite);
  if (absl::IsPermissionDenied(opened.status())) {
    return absl::PermissionDeniedError(
        absl::StrCat("registry store ", path,
                     " cannot be opened: check that its directory exists "
                     "and is writable by this user"));
  }
  RETURN_IF_ERROR(opened.status());
  Database& db = **opened;
  ASSIGN_OR_RETURN(const bool empty, IsEmpty(path, db));
  if (!empty) RETURN_IF_ERROR(CheckFormat(path, db));
  RETURN_IF_ERROR(Writable(
      path, db.Execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
                       "PRAGMA journal_size_limit = 67108864; PRAGMA cache_size = -65536")));
  if (empty) RETURN_IF_ERROR(Writable(path, db.Execute(kTables)));
  // A file whose WAL is lost is still known for a store, and not taken for a new one.
  if (empty) RETURN_IF_ERROR(db.Execute("PRAGMA wal_checkpoint(TRUNCATE)"));
  RETURN_IF_ERROR(SyncDirectoryOf(path));
  return std::move(*opened);
}

absl::StatusOr<FileLock> FileLock::Acquire(const std::string& path) {
  // Before anything is made beside it.
  struct stat info;
  if (stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode)) {
    return absl::FailedPreconditionError(
        absl::StrCat("registry store ", path, " is a directory: name the file, such as ", path,
                     path.back() == '/' ? "" : "/", "registry.db; it is made if there is none"));
  }
  const std::string name = absl::StrCat(path, ".lock");
  const int fd = open(name.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600);
  if (fd < 0) {
    return absl::PermissionDeniedError(absl::StrCat(
        "registry store ", path, " cannot be opened: ", name, ": ", std::strerror(errno)));
  }
  FileLock lock(fd);
  if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
    return absl::FailedPreconditionError(
        absl::StrCat("registry store ", path, " is in use by another process: stop it first"));
  }
  return lock;
}

FileLock& FileLock::operator=(FileLock&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

FileLock::~FileLock() {
  if (fd_ >= 0) close(fd_);
}

absl::Status SyncDirectoryOf(const std::string& path) {
  const std::string directory = DirectoryOf(path);
  const int fd = open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) {
    return absl::UnavailableError(
        absl::StrCat("cannot open ", directory, ": ", std::strerror(errno)));
  }
  const int result = fsync(fd);
  const int error = errno;
  close(fd);
  if (result == 0 || error == EINVAL) return absl::OkStatus();  // EINVAL: not a disk's file system
  return absl::UnavailableError(
      absl::StrCat("cannot sync ", directory, ": ", std::strerror(error)));
}

}  // namespace pinion::store
