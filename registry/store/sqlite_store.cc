#include "registry/store/sqlite_store.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "registry/store/sqlite_session.h"

namespace pinion::store {
namespace {

// One fsync makes at most this many changes durable; beyond it the first would wait for too much
// work of others.
constexpr size_t kMaxBatch = 512;

// One Next() gives at most this many revisions, which bounds what a watcher far behind takes at
// once.
constexpr Revision kWatchRevisions = 256;

// Connections for reading. More than these would only take turns on the processors; who comes when
// all are busy waits for one.
constexpr int kMaxReaders = 8;

// The ops of a transaction whose compares were evaluated. Only SQLite's errors are returned.
absl::Status Apply(SqliteWriter& writer, const std::vector<Op>& ops, TxnResult& result) {
  bool changed = false;
  for (const Op& op : ops) {
    std::optional<KeyValue> before;
    if (const auto* put = std::get_if<Put>(&op)) {
      ASSIGN_OR_RETURN(before, writer.Put(put->key, put->value, put->lease));
      changed = true;
    } else if (const auto* del = std::get_if<Delete>(&op)) {
      ASSIGN_OR_RETURN(before, writer.Delete(del->key));
      changed |= before.has_value();
    } else {
      ASSIGN_OR_RETURN(before, writer.Get(std::get<Get>(op).key));
    }
    result.results.push_back(std::move(before));
  }
  if (changed) writer.NextRevision();
  result.revision = writer.revision();
  return absl::OkStatus();
}

absl::StatusOr<bool> AllHold(SqliteWriter& writer, const std::vector<Compare>& compares) {
  for (const Compare& compare : compares) {
    if (!compare.end.empty()) {
      ASSIGN_OR_RETURN(const bool any,
                       writer.AnyPutSince({compare.key, compare.end}, compare.value - 1));
      if (any) return false;
      continue;
    }
    ASSIGN_OR_RETURN(const std::optional<KeyValue> kv, writer.Get(compare.key));
    if (!Holds(compare, kv.has_value() ? &*kv : nullptr)) return false;
  }
  return true;
}

}  // namespace

class SqliteStore::SqliteWatcher : public Watcher {
 public:
  SqliteWatcher(SqliteStore& store, KeyRange range, Revision after)
      : store_(store), range_(std::move(range)), after_(after) {}

  absl::StatusOr<WatchBatch> Next(absl::Duration timeout) override {
    {
      MutexLock lock(&store_.mutex_);
      while (!cancelled_ && store_.revision_ <= after_) {
        if (!store_.committed_.WaitFor(&store_.mutex_, timeout)) break;
      }
      if (cancelled_) return absl::CancelledError("the watch was cancelled");
    }
    ASSIGN_OR_RETURN(std::unique_ptr<SqliteReader> reader, store_.TakeReader());
    absl::StatusOr<WatchBatch> batch = reader->Events(range_, after_, kWatchRevisions);
    store_.ReturnReader(std::move(reader));
    if (batch.ok()) after_ = batch->through;
    return batch;
  }

  void Cancel() override {
    MutexLock lock(&store_.mutex_);
    cancelled_ = true;
    store_.committed_.SignalAll();
  }

 private:
  SqliteStore& store_;
  const KeyRange range_;
  Revision after_;
  bool cancelled_ = false;  // guarded by store_.mutex_
};

absl::StatusOr<std::unique_ptr<SqliteStore>> SqliteStore::Open(const std::string& path,
                                                               const Clock& clock) {
  ASSIGN_OR_RETURN(FileLock lock, FileLock::Acquire(path));
  ASSIGN_OR_RETURN(std::unique_ptr<Database> db, OpenStoreFile(path));
  std::unique_ptr<SqliteStore> store(new SqliteStore(path, std::move(lock), clock));
  RETURN_IF_ERROR(store->Start(std::move(db)));
  return store;
}

SqliteStore::SqliteStore(std::string path, FileLock lock, const Clock& clock)
    : path_(std::move(path)), lock_(std::move(lock)), leases_(clock) {}

absl::Status SqliteStore::Start(std::unique_ptr<Database> db) {
  ASSIGN_OR_RETURN(writer_, SqliteWriter::Create(std::move(db)));
  MutexLock lock(&mutex_);
  revision_ = writer_->revision();
  compact_revision_ = writer_->compact_revision();
  ASSIGN_OR_RETURN(const auto leases, writer_->Leases());
  for (const auto& [id, ttl] : leases) leases_.Add(id, ttl);
  thread_ = std::thread([store = this] { store->RunWriter(); });
  return absl::OkStatus();
}

SqliteStore::~SqliteStore() {
  {
    MutexLock lock(&mutex_);
    stopping_ = true;
    queued_.Signal();
  }
  if (thread_.joinable()) thread_.join();
}

absl::Status SqliteStore::Write(Work work) {
  Pending pending{.work = std::move(work)};
  MutexLock lock(&mutex_);
  queue_.push_back(&pending);
  queued_.Signal();
  while (!pending.done) pending.finished.Wait(&mutex_);
  return pending.status;
}

void SqliteStore::RunWriter() {
  while (true) {
    std::vector<Pending*> batch;
    {
      MutexLock lock(&mutex_);
      while (!stopping_ && queue_.empty()) queued_.Wait(&mutex_);
      if (queue_.empty()) return;
      const size_t n = std::min(queue_.size(), kMaxBatch);
      batch.assign(queue_.begin(), queue_.begin() + static_cast<ptrdiff_t>(n));
      queue_.erase(queue_.begin(), queue_.begin() + static_cast<ptrdiff_t>(n));
    }
    const absl::Status status = WriteBatch(batch);
    MutexLock lock(&mutex_);
    revision_ = writer_->revision();
    compact_revision_ = writer_->compact_revision();
    last_commit_ = status;
    committed_.SignalAll();
    for (Pending* pending : batch) {
      pending->status = status;
      pending->done = true;
      pending->finished
          .Signal();  // under the lock: it is gone as soon as its caller has seen `done`
    }
  }
}

absl::Status SqliteStore::WriteBatch(const std::vector<Pending*>& batch) {
  absl::Status status = writer_->Begin();
  for (Pending* pending : batch) {
    if (status.ok()) status = pending->work(*writer_);
  }
  if (status.ok()) status = writer_->End();
  if (!status.ok()) writer_->Abandon();
  return status;
}

absl::StatusOr<std::unique_ptr<SqliteReader>> SqliteStore::TakeReader() {
  {
    MutexLock lock(&mutex_);
    while (idle_readers_.empty() && readers_ >= kMaxReaders) reader_freed_.Wait(&mutex_);
    if (!idle_readers_.empty()) {
      std::unique_ptr<SqliteReader> reader = std::move(idle_readers_.back());
      idle_readers_.pop_back();
      return reader;
    }
    ++readers_;
  }
  absl::StatusOr<std::unique_ptr<SqliteReader>> reader = SqliteReader::Open(path_);
  if (!reader.ok()) {
    MutexLock lock(&mutex_);
    --readers_;
    reader_freed_.Signal();
  }
  return reader;
}

void SqliteStore::ReturnReader(std::unique_ptr<SqliteReader> reader) {
  MutexLock lock(&mutex_);
  idle_readers_.push_back(std::move(reader));
  reader_freed_.Signal();
}

absl::StatusOr<RangeResult> SqliteStore::Range(const RangeRequest& request) {
  ASSIGN_OR_RETURN(std::unique_ptr<SqliteReader> reader, TakeReader());
  absl::StatusOr<RangeResult> result = reader->Range(request);
  ReturnReader(std::move(reader));
  return result;
}

absl::StatusOr<TxnResult> SqliteStore::Commit(Txn txn) {
  RETURN_IF_ERROR(ValidateTxn(txn));
  TxnResult result;
  absl::Status refused;
  RETURN_IF_ERROR(Write([this, &txn, &result, &refused](SqliteWriter& writer) -> absl::Status {
    ASSIGN_OR_RETURN(result.succeeded, AllHold(writer, txn.compares));
    const std::vector<Op>& ops = result.succeeded ? txn.then : txn.otherwise;
    {
      MutexLock lock(&mutex_);
      for (const Op& op : ops) {
        const auto* put = std::get_if<Put>(&op);
        if (put != nullptr && put->lease != 0) refused.Update(leases_.CheckLive(put->lease));
      }
    }
    return refused.ok() ? Apply(writer, ops, result) : absl::OkStatus();
  }));
  RETURN_IF_ERROR(refused);
  return result;
}

std::unique_ptr<Watcher> SqliteStore::Watch(KeyRange range, Revision after) {
  if (after == 0) after = compact_revision();
  return std::make_unique<SqliteWatcher>(*this, std::move(range), after);
}

absl::Status SqliteStore::Compact(Revision revision) {
  absl::Status refused;
  RETURN_IF_ERROR(Write([revision, &refused](SqliteWriter& writer) {
    if (revision > writer.revision()) {
      refused = absl::OutOfRangeError(absl::StrCat("cannot compact to revision ", revision,
                                                   ": the store is at ", writer.revision()));
      return absl::OkStatus();
    }
    return revision > writer.compact_revision() ? writer.Compact(revision) : absl::OkStatus();
  }));
  return refused;
}

Revision SqliteStore::revision() const {
  MutexLock lock(&mutex_);
  return revision_;
}

Revision SqliteStore::compact_revision() const {
  MutexLock lock(&mutex_);
  return compact_revision_;
}

absl::Status SqliteStore::last_commit() const {
  MutexLock lock(&mutex_);
  return last_commit_;
}

absl::StatusOr<LeaseId> SqliteStore::GrantLease(absl::Duration ttl) {
  RETURN_IF_ERROR(ValidateLeaseTtl(ttl));
  LeaseId id = 0;
  RETURN_IF_ERROR(Write([ttl, &id](SqliteWriter& writer) -> absl::Status {
    ASSIGN_OR_RETURN(id, writer.AddLease(ttl));
    return absl::OkStatus();
  }));
  MutexLock lock(&mutex_);
  leases_.Add(id, ttl);
  return id;
}

absl::StatusOr<absl::Duration> SqliteStore::RenewLease(LeaseId id) {
  MutexLock lock(&mutex_);
  return leases_.Renew(id);
}

absl::StatusOr<std::vector<ExpiredLease>> SqliteStore::ExpiredLeases() {
  std::vector<LeaseId> ids;
  {
    MutexLock lock(&mutex_);
    ids = leases_.Expired();
  }
  std::vector<ExpiredLease> expired;
  if (ids.empty()) return expired;
  ASSIGN_OR_RETURN(std::unique_ptr<SqliteReader> reader, TakeReader());
  absl::Status status;
  for (LeaseId id : ids) {
    absl::StatusOr<std::vector<std::string>> keys = reader->KeysOfLease(id);
    status.Update(keys.status());
    if (keys.ok()) expired.push_back({id, *std::move(keys)});
  }
  ReturnReader(std::move(reader));
  RETURN_IF_ERROR(status);
  return expired;
}

absl::Status SqliteStore::RevokeLease(LeaseId id) {
  LeaseClock::Lease lease;
  {
    // From here on no put can attach a key to it; those before it in the queue are deleted with it.
    MutexLock lock(&mutex_);
    ASSIGN_OR_RETURN(lease, leases_.Remove(id));
  }
  const absl::Status status = Write([id](SqliteWriter& writer) -> absl::Status {
    ASSIGN_OR_RETURN(const bool changed, writer.RemoveLease(id));
    if (changed) writer.NextRevision();
    return absl::OkStatus();
  });
  if (!status.ok()) {
    MutexLock lock(&mutex_);
    leases_.PutBack(id, lease);
  }
  return status;
}

}  // namespace pinion::store
