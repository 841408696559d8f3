// SQLite as absl::Status: a connection and its statements. Each server and tool of the example
// opens the same file.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"

namespace addressbook {

// A prepared statement, run once. Belongs to one thread and must not outlive its connection.
class Statement {
 public:
  // Binds the next parameter, from the left. Text is copied.
  Statement& Bind(std::string_view text);
  Statement& Bind(int64_t number);
  Statement& BindNull();

  // True: a row is there to be read. False: no further row. An error says what SQLite says;
  // UNAVAILABLE when another writer has held the file for longer than the busy timeout (sqlite.cc).
  absl::StatusOr<bool> Step();

  // Steps to the end.
  absl::Status Run();

  // Column of the current row, from 0. REQUIRES: Step() returned true.
  std::string Text(int column) const;
  std::optional<std::string> NullableText(int column) const;
  int64_t Number(int column) const;

 private:
  friend class Database;
  explicit Statement(sqlite3_stmt* statement) : statement_(statement, &sqlite3_finalize) {}

  std::unique_ptr<sqlite3_stmt, int (*)(sqlite3_stmt*)> statement_;
  int bound_ = 0;
};

// One connection. Belongs to one thread at a time.
class Database {
 public:
  // Opens the file for reading and writing, in WAL mode and with every commit synced, so that
  // servers of two versions can use it at once and what a caller was told is stored stays stored.
  // NotFound: no such file, unless `create`.
  static absl::StatusOr<Database> Open(const std::string& path, bool create = false);

  // Runs statements that take no parameters and return no rows.
  absl::Status Execute(const std::string& sql);

  // Invalid SQL is an error here: for instance when a column that it names does not exist.
  absl::StatusOr<Statement> Prepare(std::string_view sql);

  // Rows that the last INSERT, UPDATE or DELETE of this connection changed.
  int64_t Changes() const { return sqlite3_changes64(connection_.get()); }

 private:
  explicit Database(sqlite3* connection) : connection_(connection, &sqlite3_close_v2) {}

  std::unique_ptr<sqlite3, int (*)(sqlite3*)> connection_;
};

// A connection that the threads of a server take turns with. Thread-safe.
class SharedDatabase {
 public:
  explicit SharedDatabase(Database database) : database_(std::move(database)) {}

  // Calls `use(database)` while no other thread uses the connection, and returns its result.
  template <typename Use>
  auto With(Use use) ABSL_LOCKS_EXCLUDED(mutex_) {
    absl::MutexLock lock(&mutex_);
    return use(database_);
  }

 private:
  absl::Mutex mutex_;
  Database database_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace addressbook
