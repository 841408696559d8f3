#include "examples/addressbook/db/sqlite.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/status_macros.h"

namespace addressbook {
namespace {

// How long a writer waits for the other servers' writers. A write takes milliseconds, so this is a
// stuck process, not a queue.
constexpr int kBusyTimeoutMs = 10'000;

absl::Status ErrorOf(sqlite3* connection) {
  const int code = sqlite3_errcode(connection);
  const char* file = sqlite3_db_filename(connection, "main");
  const std::string message =
      absl::StrCat(file == nullptr ? "SQLite" : file, ": ", sqlite3_errmsg(connection));
  switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return absl::UnavailableError(message);
    case SQLITE_FULL:
      return absl::ResourceExhaustedError(message);
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return absl::DataLossError(message);
    case SQLITE_CONSTRAINT:
      return absl::FailedPreconditionError(message);
    default:
      return absl::InternalError(message);
  }
}

}  // namespace

Statement& Statement::Bind(std::string_view text) {
  const int code = sqlite3_bind_text64(statement_.get(), ++bound_, text.data(), text.size(),
                                       SQLITE_TRANSIENT, SQLITE_UTF8);
  CHECK(code != SQLITE_RANGE && code != SQLITE_MISUSE);
  return *this;
}

Statement& Statement::Bind(int64_t number) {
  CHECK(sqlite3_bind_int64(statement_.get(), ++bound_, number) == SQLITE_OK);
  return *this;
}

Statement& Statement::BindNull() {
  CHECK(sqlite3_bind_null(statement_.get(), ++bound_) == SQLITE_OK);
  return *this;
}

absl::StatusOr<bool> Statement::Step() {
  switch (sqlite3_step(statement_.get())) {
    case SQLITE_ROW:
      return true;
    case SQLITE_DONE:
      return false;
    default:
      return ErrorOf(sqlite3_db_handle(statement_.get()));
  }
}

absl::Status Statement::Run() {
  while (true) {
    ASSIGN_OR_RETURN(const bool row, Step());
    if (!row) return absl::OkStatus();
  }
}

std::string Statement::Text(int column) const { return NullableText(column).value_or(""); }

std::optional<std::string> Statement::NullableText(int column) const {
  const unsigned char* text = sqlite3_column_text(statement_.get(), column);
  if (text == nullptr) return std::nullopt;
  return std::string(reinterpret_cast<const char*>(text),
                     static_cast<size_t>(sqlite3_column_bytes(statement_.get(), column)));
}

int64_t Statement::Number(int column) const {
  return sqlite3_column_int64(statement_.get(), column);
}

absl::StatusOr<Database> Database::Open(const std::string& path, bool create) {
  sqlite3* connection = nullptr;
  const int flags = SQLITE_OPEN_READWRITE | (create ? SQLITE_OPEN_CREATE : 0);
  const int code = sqlite3_open_v2(path.c_str(), &connection, flags, nullptr);
  Database database(connection);
  if (code == SQLITE_CANTOPEN && !create) {
    return absl::NotFoundError(absl::StrCat(
        "there is no database ", path, "; make it with: addressbook_migrate create --db ", path));
  }
  if (code != SQLITE_OK) return ErrorOf(connection);
  sqlite3_busy_timeout(connection, kBusyTimeoutMs);
  RETURN_IF_ERROR(database.Execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"));
  return database;
}

absl::Status Database::Execute(const std::string& sql) {
  const int code = sqlite3_exec(connection_.get(), sql.c_str(), nullptr, nullptr, nullptr);
  return code == SQLITE_OK ? absl::OkStatus() : ErrorOf(connection_.get());
}

absl::StatusOr<Statement> Database::Prepare(std::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v2(connection_.get(), sql.data(), static_cast<int>(sql.size()),
                                      &statement, nullptr);
  if (code != SQLITE_OK) return ErrorOf(connection_.get());
  return Statement(statement);
}

}  // namespace addressbook
