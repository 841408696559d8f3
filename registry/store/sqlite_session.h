// What the embedded store says to SQLite: a reader's queries, each in a read transaction of its
// own, and the writer's statements. A part of SqliteStore, which decides who uses them on which
// thread.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "registry/store/sqlite_database.h"
#include "registry/store/store.h"

namespace pinion::store {

// One connection that reads. Each call sees one committed state, revisions and pairs alike.
class SqliteReader {
 public:
  static absl::StatusOr<std::unique_ptr<SqliteReader>> Open(const std::string& path);

  absl::StatusOr<RangeResult> Range(const RangeRequest& request);
  // Whole revisions after `after`, at most `revisions` of them. OutOfRange: compacted.
  absl::StatusOr<WatchBatch> Events(const KeyRange& range, Revision after, Revision revisions);
  absl::StatusOr<std::vector<std::string>> KeysOfLease(LeaseId id);

 private:
  struct Bounds {
    Revision revision = 0;
    Revision compact_revision = 0;
  };
  explicit SqliteReader(std::unique_ptr<Database> db) : db_(std::move(db)) {}
  absl::StatusOr<Bounds> ReadBounds();
  absl::StatusOr<RangeResult> RangeInTransaction(const RangeRequest& request);
  // Of a single key, at result.revision.
  absl::Status GetInTransaction(const RangeRequest& request, RangeResult& result);
  absl::StatusOr<WatchBatch> EventsInTransaction(const KeyRange& range, Revision after,
                                                 Revision revisions);
  // Prepared at its first use.
  absl::StatusOr<Statement*> Cached(const std::string& sql);

  std::unique_ptr<Database> db_;
  Statement begin_, end_;  // these and the others after db_: they die before it
  std::map<std::string, Statement> statements_;
};

// The one connection that writes. Everything happens inside Begin() … End() or Abandon().
class SqliteWriter {
 public:
  static absl::StatusOr<std::unique_ptr<SqliteWriter>> Create(std::unique_ptr<Database> db);

  absl::Status Begin();
  // Durable when it returns OK.
  absl::Status End();
  // All is as it was at Begin(), also when the disk cannot be read.
  void Abandon();

  // The newest state of a key, if it is not a deletion.
  absl::StatusOr<std::optional<KeyValue>> Get(const std::string& key);
  // Whether a key in `range` was put after `revision` and is still there.
  absl::StatusOr<bool> AnyPutSince(const KeyRange& range, Revision revision);
  // At revision() + 1; NextRevision() then makes it the current one. Both return what stood there
  // before.
  absl::StatusOr<std::optional<KeyValue>> Put(const std::string& key, const std::string& value,
                                              LeaseId lease);
  absl::StatusOr<std::optional<KeyValue>> Delete(const std::string& key);
  void NextRevision() { ++meta_.revision; }

  absl::StatusOr<LeaseId> AddLease(absl::Duration ttl);
  // Deletes the lease and its keys at revision() + 1; true if there were keys.
  absl::StatusOr<bool> RemoveLease(LeaseId id);
  absl::Status Compact(Revision revision);

  Revision revision() const { return meta_.revision; }  // of the last change, committed or not
  Revision compact_revision() const { return meta_.compact_revision; }
  absl::StatusOr<std::vector<std::pair<LeaseId, absl::Duration>>> Leases();

 private:
  struct Meta {
    Revision revision = 1;
    Revision compact_revision = 1;
    LeaseId last_lease = 0;
  };
  explicit SqliteWriter(std::unique_ptr<Database> db) : db_(std::move(db)) {}
  absl::Status LoadMeta();
  absl::Status PrepareAll();
  absl::Status SetMeta(std::string_view name, int64_t value);
  // The newest state, deletions too (version 0).
  absl::StatusOr<std::optional<KeyValue>> Newest(const std::string& key);
  // Ends `before` and adds the state that follows it.
  absl::Status Replace(const std::optional<KeyValue>& before, const KeyValue& state);

  std::unique_ptr<Database> db_;
  Statement begin_, commit_, newest_, put_since_, end_state_, add_state_, set_meta_, add_lease_,
      remove_lease_, lease_keys_;
  Meta meta_;
  Meta begun_;  // as of Begin()
};

}  // namespace pinion::store
