// The embedded store: one SQLite file in WAL mode with synchronous=FULL. One thread writes: it
// takes all transactions that wait, runs each, and makes them durable by one fsync, so that many
// callers share its cost. Readers have connections of their own and never wait for the writer.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "registry/store/lease_clock.h"
#include "registry/store/sqlite_database.h"
#include "registry/store/sqlite_format.h"
#include "registry/store/store.h"

namespace pinion::store {

class SqliteReader;
class SqliteWriter;

class SqliteStore : public Store {
 public:
  // Creates the file if it is missing; its directory must exist. `clock` outlives the store. Every
  // error has a message that says what to do: damaged, not a store, from a newer version, in use by
  // another process, not accessible.
  static absl::StatusOr<std::unique_ptr<SqliteStore>> Open(const std::string& path,
                                                           const Clock& clock = SystemClock());
  // Waits for the transactions that were begun. Watchers must be gone.
  ~SqliteStore() override;

  absl::StatusOr<RangeResult> Range(const RangeRequest& request) override;
  absl::StatusOr<TxnResult> Commit(Txn txn) override;
  std::unique_ptr<Watcher> Watch(KeyRange range, Revision after) override;
  absl::Status Compact(Revision revision) override;
  Revision revision() const override;
  Revision compact_revision() const override;
  absl::StatusOr<LeaseId> GrantLease(absl::Duration ttl) override;
  absl::StatusOr<absl::Duration> RenewLease(LeaseId id) override;
  absl::StatusOr<std::vector<ExpiredLease>> ExpiredLeases() override;
  absl::Status RevokeLease(LeaseId id) override;
  absl::Status last_commit() const override;
  std::string Describe() const override { return "sqlite " + path_; }

 private:
  class SqliteWatcher;

  // A piece of work inside the writer's transaction, and who waits for it. Lives on the caller's
  // stack. Work that returns an error undoes all that shares its fsync, so it returns only what
  // SQLite says; what it refuses by itself, it refuses before it writes, and tells its caller
  // through its captures.
  using Work = std::function<absl::Status(SqliteWriter&)>;
  struct Pending {
    Work work;
    absl::Status status;
    bool done = false;
    CondVar finished;
  };

  SqliteStore(std::string path, FileLock lock, const Clock& clock);
  absl::Status Start(std::unique_ptr<Database> writer);

  // Runs `work` on the writer thread and returns when it is durable.
  absl::Status Write(Work work);
  void RunWriter();
  // One transaction of SQLite for all of `batch`.
  absl::Status WriteBatch(const std::vector<Pending*>& batch);

  absl::StatusOr<std::unique_ptr<SqliteReader>> TakeReader();
  void ReturnReader(std::unique_ptr<SqliteReader> reader);

  const std::string path_;
  const FileLock lock_;
  std::unique_ptr<SqliteWriter> writer_;  // used by the writer thread only

  mutable Mutex mutex_;
  CondVar queued_;     // work for the writer, or the end
  CondVar committed_;  // a revision, or the end of a watch
  CondVar reader_freed_;
  std::deque<Pending*> queue_ ABSL_GUARDED_BY(mutex_);
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  Revision revision_ ABSL_GUARDED_BY(mutex_) = 1;  // committed
  Revision compact_revision_ ABSL_GUARDED_BY(mutex_) = 1;
  absl::Status last_commit_ ABSL_GUARDED_BY(mutex_);
  LeaseClock leases_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::unique_ptr<SqliteReader>> idle_readers_ ABSL_GUARDED_BY(mutex_);
  int readers_ ABSL_GUARDED_BY(mutex_) = 0;  // idle or not

  std::thread thread_;
};

}  // namespace pinion::store
