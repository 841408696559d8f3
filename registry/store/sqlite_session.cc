#include "registry/store/sqlite_session.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"

namespace pinion::store {
namespace {

// Matches the partial index kv_newest word for word, or SQLite does not use it.
constexpr char kNewest[] = "replaced_by = 9223372036854775807 AND version > 0";

KeyValue ReadKeyValue(const Statement& row, int column) {
  return {.key = row.Blob(column),
          .value = row.Blob(column + 5),
          .create_revision = row.Int(column + 2),
          .mod_revision = row.Int(column + 1),
          .version = row.Int(column + 3),
          .lease = row.Int(column + 4)};
}
constexpr char kColumns[] = "key, mod_revision, create_revision, version, lease, value";

// The smallest key after all of `range`.
std::string EndOf(const KeyRange& range) {
  return range.end.empty() ? range.key + '\0' : range.end;
}

// Of many keys; one alone is found by Get.
std::string RangeSql(const RangeRequest& request) {
  const std::string columns = request.count_only ? "count(*)"
                              : request.keys_only
                                  ? "key, mod_revision, create_revision, version, lease, x''"
                                  : kColumns;
  // The index skips the old states of the keys.
  const std::string newest = absl::StrCat(" FROM kv INDEXED BY kv_newest WHERE ", kNewest);
  const std::string from =
      request.revision == 0
          ? newest
          : " FROM kv WHERE mod_revision <= ?4 AND replaced_by > ?4 AND version > 0";
  const char* order = request.count_only   ? ""
                      : request.descending ? " ORDER BY key DESC"
                                           : " ORDER BY key";
  return absl::StrCat("SELECT ", columns, from, " AND key >= ?1 AND key < ?2", order, " LIMIT ?3");
}

}  // namespace

absl::StatusOr<std::unique_ptr<SqliteReader>> SqliteReader::Open(const std::string& path) {
  ASSIGN_OR_RETURN(std::unique_ptr<Database> db, Database::Open(path, Database::Mode::kReadOnly));
  std::unique_ptr<SqliteReader> reader(new SqliteReader(std::move(db)));
  ASSIGN_OR_RETURN(reader->begin_, reader->db_->Prepare("BEGIN"));
  ASSIGN_OR_RETURN(reader->end_, reader->db_->Prepare("COMMIT"));
  return reader;
}

absl::StatusOr<Statement*> SqliteReader::Cached(const std::string& sql) {
  auto it = statements_.find(sql);
  if (it == statements_.end()) {
    ASSIGN_OR_RETURN(Statement statement, db_->Prepare(sql));
    it = statements_.emplace(sql, std::move(statement)).first;
  }
  it->second.Reset();
  return &it->second;
}

absl::StatusOr<SqliteReader::Bounds> SqliteReader::ReadBounds() {
  ASSIGN_OR_RETURN(Statement * meta, Cached("SELECT value FROM meta WHERE name IN "
                                            "('compact_revision', 'revision') ORDER BY name"));
  Bounds bounds;
  ASSIGN_OR_RETURN(bool row, meta->Step());
  if (row) bounds.compact_revision = meta->Int(0);
  ASSIGN_OR_RETURN(row, meta->Step());
  if (row) bounds.revision = meta->Int(0);
  meta->Reset();
  return bounds;
}

absl::StatusOr<RangeResult> SqliteReader::Range(const RangeRequest& request) {
  RETURN_IF_ERROR(begin_.Run());
  absl::StatusOr<RangeResult> result = RangeInTransaction(request);
  // A statement that failed half-way still reads, and would keep the transaction open.
  if (!result.ok()) statements_.clear();
  RETURN_IF_ERROR(end_.Run());
  return result;
}

absl::StatusOr<RangeResult> SqliteReader::RangeInTransaction(const RangeRequest& request) {
  ASSIGN_OR_RETURN(const Bounds bounds, ReadBounds());
  RangeResult result;
  result.revision = request.revision == 0 ? bounds.revision : request.revision;
  if (result.revision > bounds.revision || result.revision < bounds.compact_revision) {
    return absl::OutOfRangeError(absl::StrCat("revision ", result.revision,
                                              " is not there: the store has ",
                                              bounds.compact_revision, " to ", bounds.revision));
  }
  if (request.range.end.empty()) {
    RETURN_IF_ERROR(GetInTransaction(request, result));
    return result;
  }
  ASSIGN_OR_RETURN(Statement * query, Cached(RangeSql(request)));
  const std::string end = EndOf(request.range);
  query->BindBlob(1, request.range.key);
  query->BindBlob(2, end);
  const bool limited = request.limit != 0 && !request.count_only;
  query->Bind(3, limited ? static_cast<int64_t>(request.limit) + 1 : -1);
  if (request.revision != 0) query->Bind(4, request.revision);
  while (true) {
    ASSIGN_OR_RETURN(const bool row, query->Step());
    if (!row) break;
    if (request.count_only) {
      result.count = query->Int(0);
    } else if (limited && result.kvs.size() == request.limit) {
      result.more = true;
    } else {
      result.kvs.push_back(ReadKeyValue(*query, 0));
    }
  }
  query->Reset();
  if (!request.count_only) result.count = static_cast<int64_t>(result.kvs.size());
  return result;
}

absl::Status SqliteReader::GetInTransaction(const RangeRequest& request, RangeResult& result) {
  ASSIGN_OR_RETURN(Statement * query,
                   Cached(absl::StrCat("SELECT ", kColumns,
                                       " FROM kv WHERE key = ?1 AND mod_revision <= ?2 ORDER BY "
                                       "mod_revision DESC LIMIT 1")));
  query->BindBlob(1, request.range.key);
  query->Bind(2, result.revision);
  ASSIGN_OR_RETURN(const bool row, query->Step());
  if (row) {
    KeyValue kv = ReadKeyValue(*query, 0);
    if (request.keys_only) kv.value.clear();
    result.count = kv.version == 0 ? 0 : 1;
    if (result.count == 1 && !request.count_only) result.kvs.push_back(std::move(kv));
  }
  query->Reset();
  return absl::OkStatus();
}

absl::StatusOr<WatchBatch> SqliteReader::Events(const KeyRange& range, Revision after,
                                                Revision revisions) {
  RETURN_IF_ERROR(begin_.Run());
  absl::StatusOr<WatchBatch> batch = EventsInTransaction(range, after, revisions);
  if (!batch.ok()) statements_.clear();
  RETURN_IF_ERROR(end_.Run());
  return batch;
}

absl::StatusOr<WatchBatch> SqliteReader::EventsInTransaction(const KeyRange& range, Revision after,
                                                             Revision revisions) {
  ASSIGN_OR_RETURN(const Bounds bounds, ReadBounds());
  if (after == 0) after = bounds.compact_revision;
  if (after < bounds.compact_revision) {
    return absl::OutOfRangeError(absl::StrCat("revision ", after + 1, " has been compacted"));
  }
  WatchBatch batch;
  batch.through = std::max(after, std::min(bounds.revision, after + revisions));
  ASSIGN_OR_RETURN(
      Statement * query,
      Cached(absl::StrCat(
          "SELECT ", kColumns,
          " FROM kv INDEXED BY kv_by_revision WHERE mod_revision > ?1 AND "
          "mod_revision <= ?2 AND key >= ?3 AND key < ?4 ORDER BY mod_revision, key")));
  ASSIGN_OR_RETURN(Statement * before,
                   Cached(absl::StrCat("SELECT ", kColumns,
                                       " FROM kv WHERE key = ?1 AND mod_revision < ?2 "
                                       "ORDER BY mod_revision DESC LIMIT 1")));
  const std::string end = EndOf(range);
  query->Bind(1, after);
  query->Bind(2, batch.through);
  query->BindBlob(3, range.key);
  query->BindBlob(4, end);
  while (true) {
    ASSIGN_OR_RETURN(const bool row, query->Step());
    if (!row) break;
    Event event{.kv = ReadKeyValue(*query, 0)};
    event.deleted = event.kv.version == 0;
    before->BindBlob(1, event.kv.key);
    before->Bind(2, event.kv.mod_revision);
    ASSIGN_OR_RETURN(const bool had, before->Step());
    if (had) event.previous = ReadKeyValue(*before, 0);
    if (had && event.previous->version == 0) event.previous.reset();
    before->Reset();
    batch.events.push_back(std::move(event));
  }
  query->Reset();
  return batch;
}

absl::StatusOr<std::vector<std::string>> SqliteReader::KeysOfLease(LeaseId id) {
  ASSIGN_OR_RETURN(Statement * query,
                   Cached(absl::StrCat("SELECT key FROM kv WHERE lease = ?1 AND lease <> 0 AND ",
                                       kNewest, " ORDER BY key")));
  query->Bind(1, id);
  std::vector<std::string> keys;
  while (true) {
    ASSIGN_OR_RETURN(const bool row, query->Step());
    if (!row) break;
    keys.push_back(query->Blob(0));
  }
  query->Reset();
  return keys;
}

absl::StatusOr<std::unique_ptr<SqliteWriter>> SqliteWriter::Create(std::unique_ptr<Database> db) {
  std::unique_ptr<SqliteWriter> writer(new SqliteWriter(std::move(db)));
  RETURN_IF_ERROR(writer->PrepareAll());
  RETURN_IF_ERROR(writer->LoadMeta());
  return writer;
}

absl::Status SqliteWriter::PrepareAll() {
  ASSIGN_OR_RETURN(begin_, db_->Prepare("BEGIN IMMEDIATE"));
  ASSIGN_OR_RETURN(commit_, db_->Prepare("COMMIT"));
  ASSIGN_OR_RETURN(newest_, db_->Prepare(absl::StrCat("SELECT ", kColumns,
                                                      " FROM kv WHERE key = ?1 "
                                                      "ORDER BY mod_revision DESC LIMIT 1")));
  // The other index would go through all keys of the range.
  ASSIGN_OR_RETURN(put_since_,
                   db_->Prepare(absl::StrCat("SELECT 1 FROM kv INDEXED BY kv_by_revision WHERE "
                                             "mod_revision > ?1 AND key >= ?2 AND key < ?3 AND ",
                                             kNewest, " LIMIT 1")));
  ASSIGN_OR_RETURN(end_state_, db_->Prepare("UPDATE kv SET replaced_by = ?1 WHERE key = ?2 AND "
                                            "mod_revision = ?3"));
  ASSIGN_OR_RETURN(add_state_, db_->Prepare("INSERT INTO kv VALUES (?1, ?2, ?3, ?4, ?5, "
                                            "9223372036854775807, ?6)"));
  ASSIGN_OR_RETURN(set_meta_, db_->Prepare("UPDATE meta SET value = ?1 WHERE name = ?2"));
  ASSIGN_OR_RETURN(add_lease_, db_->Prepare("INSERT INTO lease VALUES (?1, ?2)"));
  ASSIGN_OR_RETURN(remove_lease_, db_->Prepare("DELETE FROM lease WHERE id = ?1"));
  ASSIGN_OR_RETURN(lease_keys_,
                   db_->Prepare(absl::StrCat("SELECT key FROM kv WHERE lease = ?1 AND lease "
                                             "<> 0 AND ",
                                             kNewest)));
  return absl::OkStatus();
}

absl::Status SqliteWriter::LoadMeta() {
  ASSIGN_OR_RETURN(meta_.revision, db_->QueryInt("SELECT value FROM meta WHERE name = 'revision'"));
  ASSIGN_OR_RETURN(meta_.compact_revision,
                   db_->QueryInt("SELECT value FROM meta WHERE name = 'compact_revision'"));
  ASSIGN_OR_RETURN(meta_.last_lease,
                   db_->QueryInt("SELECT value FROM meta WHERE name = 'last_lease'"));
  return absl::OkStatus();
}

absl::Status SqliteWriter::Begin() {
  begun_ = meta_;
  return begin_.Run();
}

absl::Status SqliteWriter::End() {
  RETURN_IF_ERROR(SetMeta("revision", meta_.revision));
  return commit_.Run();
}

void SqliteWriter::Abandon() {
  // Some errors have rolled back already; then this says so and means nothing.
  (void)db_->Execute("ROLLBACK");
  meta_ = begun_;
}

absl::Status SqliteWriter::SetMeta(std::string_view name, int64_t value) {
  set_meta_.Bind(1, value);
  set_meta_.BindText(2, name);
  return set_meta_.Run();
}

absl::StatusOr<std::optional<KeyValue>> SqliteWriter::Newest(const std::string& key) {
  newest_.BindBlob(1, key);
  const absl::StatusOr<bool> row = newest_.Step();
  std::optional<KeyValue> state;
  if (row.ok() && *row) state = ReadKeyValue(newest_, 0);
  newest_.Reset();
  RETURN_IF_ERROR(row.status());
  return state;
}

absl::StatusOr<std::optional<KeyValue>> SqliteWriter::Get(const std::string& key) {
  ASSIGN_OR_RETURN(std::optional<KeyValue> state, Newest(key));
  if (state.has_value() && state->version == 0) state.reset();
  return state;
}

absl::StatusOr<bool> SqliteWriter::AnyPutSince(const KeyRange& range, Revision revision) {
  put_since_.Bind(1, revision);
  put_since_.BindBlob(2, range.key);
  put_since_.BindBlob(3, range.end);
  const absl::StatusOr<bool> row = put_since_.Step();
  put_since_.Reset();
  return row;
}

absl::Status SqliteWriter::Replace(const std::optional<KeyValue>& before, const KeyValue& state) {
  if (before.has_value()) {
    end_state_.Bind(1, state.mod_revision);
    end_state_.BindBlob(2, before->key);
    end_state_.Bind(3, before->mod_revision);
    RETURN_IF_ERROR(end_state_.Run());
  }
  add_state_.BindBlob(1, state.key);
  add_state_.Bind(2, state.mod_revision);
  add_state_.Bind(3, state.create_revision);
  add_state_.Bind(4, state.version);
  add_state_.Bind(5, state.lease);
  add_state_.BindBlob(6, state.value);
  return add_state_.Run();
}

absl::StatusOr<std::optional<KeyValue>> SqliteWriter::Put(const std::string& key,
                                                          const std::string& value, LeaseId lease) {
  ASSIGN_OR_RETURN(std::optional<KeyValue> before, Newest(key));
  const bool existed = before.has_value() && before->version != 0;
  const KeyValue state{.key = key,
                       .value = value,
                       .create_revision = existed ? before->create_revision : meta_.revision + 1,
                       .mod_revision = meta_.revision + 1,
                       .version = existed ? before->version + 1 : 1,
                       .lease = lease};
  RETURN_IF_ERROR(Replace(before, state));
  if (!existed) before.reset();
  return before;
}

absl::StatusOr<std::optional<KeyValue>> SqliteWriter::Delete(const std::string& key) {
  ASSIGN_OR_RETURN(std::optional<KeyValue> before, Newest(key));
  if (!before.has_value() || before->version == 0) return std::nullopt;
  RETURN_IF_ERROR(Replace(before, KeyValue{.key = key, .mod_revision = meta_.revision + 1}));
  return before;
}

absl::StatusOr<LeaseId> SqliteWriter::AddLease(absl::Duration ttl) {
  ++meta_.last_lease;
  RETURN_IF_ERROR(SetMeta("last_lease", meta_.last_lease));
  add_lease_.Bind(1, meta_.last_lease);
  add_lease_.Bind(2, absl::ToInt64Milliseconds(ttl));
  RETURN_IF_ERROR(add_lease_.Run());
  return meta_.last_lease;
}

absl::StatusOr<bool> SqliteWriter::RemoveLease(LeaseId id) {
  std::vector<std::string> keys;
  lease_keys_.Bind(1, id);
  absl::StatusOr<bool> row = lease_keys_.Step();
  for (; row.ok() && *row; row = lease_keys_.Step()) keys.push_back(lease_keys_.Blob(0));
  lease_keys_.Reset();
  RETURN_IF_ERROR(row.status());
  for (const std::string& key : keys) RETURN_IF_ERROR(Delete(key).status());
  remove_lease_.Bind(1, id);
  RETURN_IF_ERROR(remove_lease_.Run());
  return !keys.empty();
}

absl::Status SqliteWriter::Compact(Revision revision) {
  // Only keys that changed since the last compaction can have old states up to this one.
  ASSIGN_OR_RETURN(
      Statement erase,
      db_->Prepare("DELETE FROM kv WHERE key IN (SELECT key FROM kv WHERE mod_revision > ?1 AND "
                   "mod_revision <= ?2) AND (replaced_by <= ?2 OR (version = 0 AND mod_revision "
                   "<= ?2))"));
  erase.Bind(1, meta_.compact_revision);
  erase.Bind(2, revision);
  RETURN_IF_ERROR(erase.Run());
  meta_.compact_revision = revision;
  return SetMeta("compact_revision", revision);
}

absl::StatusOr<std::vector<std::pair<LeaseId, absl::Duration>>> SqliteWriter::Leases() {
  ASSIGN_OR_RETURN(Statement query, db_->Prepare("SELECT id, ttl_ms FROM lease"));
  std::vector<std::pair<LeaseId, absl::Duration>> leases;
  while (true) {
    ASSIGN_OR_RETURN(const bool row, query.Step());
    if (!row) return leases;
    leases.emplace_back(query.Int(0), absl::Milliseconds(query.Int(1)));
  }
}

}  // namespace pinion::store
