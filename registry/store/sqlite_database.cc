#include "registry/store/sqlite_database.h"

#include <sqlite3.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/status_macros.h"

namespace pinion::store {
namespace {

constexpr int kBusyTimeoutMs = 10'000;

// What the kernel did with the pages of a failed fsync is unknown, and a second fsync may succeed
// without them: the only honest state is the one that a restart reads from the disk.
[[noreturn]] void DieOfFailedSync(const std::string& message) {
  const std::string line = absl::StrCat("fsync of the registry's store failed: ", message);
  CheckFailed(line.c_str(), __FILE__, __LINE__);
}

void DieIfSyncFailed(int code, sqlite3* db) {
  if (code == SQLITE_IOERR_FSYNC || code == SQLITE_IOERR_DIR_FSYNC) {
    DieOfFailedSync(sqlite3_errmsg(db));
  }
}

// Of the WAL, of 4 KiB each.
constexpr int kCheckpointFrames = 4'000;

// Instead of SQLite's own, which drops the error of a sync. The others lose nothing: the WAL stays,
// and the next commit tries again.
int CheckpointAfterCommit(void*, sqlite3* db, const char* name, int frames) {
  if (frames < kCheckpointFrames) return SQLITE_OK;
  DieIfSyncFailed(sqlite3_wal_checkpoint_v2(db, name, SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr),
                  db);
  return SQLITE_OK;
}

absl::Status ToStatus(sqlite3* db) {
  const int code = sqlite3_extended_errcode(db);
  const std::string message = sqlite3_errmsg(db);
  DieIfSyncFailed(code, db);
  switch (code & 0xff) {
    case SQLITE_FULL:
      return absl::ResourceExhaustedError(
          "the disk of the registry's store is full: nothing was changed, reading goes on; make "
          "room");
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return absl::DataLossError(
          absl::StrCat("the registry's store is damaged (", message,
                       "): stop the registry and restore the last backup with `pinion restore`"));
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return absl::UnavailableError(absl::StrCat("the registry's store is busy: ", message));
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_CANTOPEN:
      return absl::PermissionDeniedError(
          absl::StrCat("the registry's store cannot be used: ", message));
    default:
      return absl::UnavailableError(
          absl::StrCat("the registry's store failed: ", message, " (SQLite code ", code, ")"));
  }
}

}  // namespace

Statement& Statement::operator=(Statement&& other) noexcept {
  std::swap(db_, other.db_);
  std::swap(stmt_, other.stmt_);
  return *this;
}

Statement::~Statement() { sqlite3_finalize(stmt_); }

void Statement::Bind(int index, int64_t value) { sqlite3_bind_int64(stmt_, index, value); }

void Statement::BindText(int index, std::string_view value) {
  sqlite3_bind_text64(stmt_, index, value.data(), value.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
}

void Statement::BindBlob(int index, std::string_view value) {
  // A null pointer would bind NULL, which an empty value is not.
  const char* data = value.data() == nullptr ? "" : value.data();
  sqlite3_bind_blob64(stmt_, index, data, value.size(), SQLITE_STATIC);
}

absl::StatusOr<bool> Statement::Step() {
  switch (sqlite3_step(stmt_)) {
    case SQLITE_ROW:
      return true;
    case SQLITE_DONE:
      return false;
    default:
      return ToStatus(db_);
  }
}

void Statement::Reset() {
  sqlite3_reset(stmt_);
  sqlite3_clear_bindings(stmt_);
}

absl::Status Statement::Run() {
  absl::StatusOr<bool> row = true;
  while (row.ok() && *row) row = Step();
  Reset();
  return row.status();
}

int64_t Statement::Int(int column) const { return sqlite3_column_int64(stmt_, column); }

std::string Statement::Blob(int column) const {
  const void* data = sqlite3_column_blob(stmt_, column);
  const int size = sqlite3_column_bytes(stmt_, column);
  return data == nullptr ? std::string() : std::string(static_cast<const char*>(data), size);
}

bool Statement::IsNull(int column) const {
  return sqlite3_column_type(stmt_, column) == SQLITE_NULL;
}

absl::StatusOr<std::unique_ptr<Database>> Database::Open(const std::string& path, Mode mode) {
  sqlite3* db = nullptr;
  const int flags = (mode == Mode::kReadWrite ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
                                              : SQLITE_OPEN_READONLY) |
                    SQLITE_OPEN_NOMUTEX;
  const int code = sqlite3_open_v2(path.c_str(), &db, flags, nullptr);
  std::unique_ptr<Database> database(new Database(db));
  if (db == nullptr) return absl::ResourceExhaustedError("no memory to open the registry's store");
  if (code != SQLITE_OK) return ToStatus(db);
  sqlite3_extended_result_codes(db, 1);
  sqlite3_busy_timeout(db, kBusyTimeoutMs);
  if (mode == Mode::kReadWrite) sqlite3_wal_hook(db, CheckpointAfterCommit, nullptr);
  return database;
}

Database::~Database() { sqlite3_close(db_); }

absl::Status Database::Execute(const char* sql) {
  return sqlite3_exec(db_, sql, nullptr, nullptr, nullptr) == SQLITE_OK ? absl::OkStatus()
                                                                        : ToStatus(db_);
}

absl::StatusOr<Statement> Database::Prepare(std::string_view sql) {
  sqlite3_stmt* stmt = nullptr;
  if (sqlite3_prepare_v3(db_, sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT,
                         &stmt, nullptr) != SQLITE_OK) {
    return ToStatus(db_);
  }
  return Statement(db_, stmt);
}

absl::StatusOr<int64_t> Database::QueryInt(std::string_view sql) {
  ASSIGN_OR_RETURN(Statement statement, Prepare(sql));
  ASSIGN_OR_RETURN(const bool row, statement.Step());
  return row ? statement.Int(0) : 0;
}

absl::StatusOr<std::string> Database::QueryText(std::string_view sql) {
  ASSIGN_OR_RETURN(Statement statement, Prepare(sql));
  ASSIGN_OR_RETURN(const bool row, statement.Step());
  return row ? statement.Blob(0) : std::string();
}

}  // namespace pinion::store
