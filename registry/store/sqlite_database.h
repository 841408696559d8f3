// One connection to an SQLite file and its statements, with absl::Status for SQLite's codes. The
// only users of sqlite3.h are this file and its source. Not thread-safe: each connection belongs to
// one thread at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

struct sqlite3;
struct sqlite3_stmt;

namespace pinion::store {

// A prepared statement. Dies before its connection. Parameters count from 1, columns from 0.
class Statement {
 public:
  Statement() = default;
  Statement(sqlite3* db, sqlite3_stmt* stmt) : db_(db), stmt_(stmt) {}
  Statement(Statement&& other) noexcept { *this = std::move(other); }
  Statement& operator=(Statement&& other) noexcept;
  ~Statement();

  void Bind(int index, int64_t value);
  void BindText(int index, std::string_view value);  // copied
  void BindBlob(int index, std::string_view value);  // must live until the next Reset()

  // True: a row is there to be read. Reset() before the statement runs again.
  absl::StatusOr<bool> Step();
  void Reset();
  // Step() until there are no more rows, then Reset().
  absl::Status Run();

  int64_t Int(int column) const;
  std::string Blob(int column) const;
  bool IsNull(int column) const;

 private:
  sqlite3* db_ = nullptr;
  sqlite3_stmt* stmt_ = nullptr;
};

class Database {
 public:
  enum class Mode { kReadWrite, kReadOnly };

  // Creates the file if it is missing and `mode` is kReadWrite; then a WAL that has grown is
  // written back into the file after the commit that made it so.
  static absl::StatusOr<std::unique_ptr<Database>> Open(const std::string& path, Mode mode);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  absl::Status Execute(const char* sql);  // one or more statements, rows ignored
  absl::StatusOr<Statement> Prepare(std::string_view sql);
  absl::StatusOr<int64_t> QueryInt(
      std::string_view sql);  // first column of the first row; 0 without rows
  absl::StatusOr<std::string> QueryText(std::string_view sql);

 private:
  explicit Database(sqlite3* db) : db_(db) {}
  sqlite3* const db_;
};

}  // namespace pinion::store
