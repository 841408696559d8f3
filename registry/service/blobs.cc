#include "registry/service/blobs.h"

#include "absl/container/flat_hash_map.h"
#include "base/status_macros.h"
#include "google/protobuf/timestamp.pb.h"
#include "registry/model/keys.h"
#include "registry/service/first_error.h"

namespace pinion::service {
namespace {

// Two parts of a set and their keys fit a transaction's bytes.
constexpr size_t kBlobPartBytes = 512 * 1024;

// A publication that was cut short may be tried again for so long without writing all anew.
constexpr int64_t kUnusedSeconds = 24 * 60 * 60;
// Each is looked for in the records of all versions.
constexpr int kDeletedAtOnce = 4;

using google::protobuf::Timestamp;

bool IsLongAgo(const Timestamp& since, int64_t now) {
  return now - since.seconds() >= kUnusedSeconds;
}

absl::StatusOr<bool> SomeVersionHas(Draft& draft, const std::string& sha256) {
  PageRequest page{.size = kMaxPage};
  do {
    ASSIGN_OR_RETURN(const auto versions,
                     draft.List<registry::v1::VersionRecord>(model::kVersions, page));
    for (const auto& version : versions.records) {
      if (version.value.blob_sha256() == sha256) return true;
    }
    page.token = versions.next_token;
  } while (!page.token.empty());
  return false;
}

// Writes a part, unless somebody else was first. The revision that has put it.
absl::StatusOr<store::Revision> WritePart(Draft& draft, const std::string& sha256,
                                          const std::string& key, absl::string_view bytes) {
  const std::string since = draft.now().SerializeAsString();
  ASSIGN_OR_RETURN(
      const store::TxnResult result,
      draft.registry().store().Commit({.compares = {store::Compare::Absent(key)},
                                       .then = {store::Put{key, std::string(bytes)},
                                                store::Put{model::UnusedBlobKey(sha256), since}},
                                       .otherwise = {store::Get{key}}}));
  return result.succeeded ? result.revision : result.results.at(0)->mod_revision;
}

struct Deleted {};

absl::StatusOr<Deleted> DeleteIfUnused(Draft& draft, const std::string& sha256) {
  const std::string mark = model::UnusedBlobKey(sha256);
  ASSIGN_OR_RETURN(const auto since, draft.Get<Timestamp>(mark));
  if (!since.has_value() || !IsLongAgo(since->value, draft.now().seconds())) return Deleted();
  draft.AllowUnaudited();
  draft.Delete(mark);  // as a version does that comes to have it: one of both is first
  ASSIGN_OR_RETURN(const bool used, SomeVersionHas(draft, sha256));
  if (used) return Deleted();
  ASSIGN_OR_RETURN(const store::RangeResult parts,
                   draft.Range({.range = store::KeyRange::Prefix(model::BlobPartsOf(sha256)),
                                .keys_only = true}));
  for (const store::KeyValue& part : parts.kvs) draft.Delete(part.key);
  return Deleted();
}

}  // namespace

absl::Status WriteBlob(Draft& draft, const std::string& sha256, absl::string_view bytes) {
  ASSIGN_OR_RETURN(
      const store::RangeResult there,
      draft.registry().store().Range(
          {.range = store::KeyRange::Prefix(model::BlobPartsOf(sha256)), .keys_only = true}));
  absl::flat_hash_map<std::string, store::Revision> revisions;
  for (const store::KeyValue& part : there.kvs) revisions[part.key] = part.mod_revision;
  // Parts are put once and deleted together: while the first is this one, the others that were seen
  // with it or after it stay. Without it they may go.
  const std::string first = model::BlobKey(sha256, 0);
  if (!revisions.contains(first)) revisions.clear();
  for (int64_t part = 0; !bytes.empty(); ++part) {
    const std::string key = model::BlobKey(sha256, part);
    const absl::string_view piece = bytes.substr(0, kBlobPartBytes);
    bytes.remove_prefix(piece.size());
    if (!revisions.contains(key)) {
      ASSIGN_OR_RETURN(revisions[key], WritePart(draft, sha256, key, piece));
    }
  }
  draft.RequireUnchanged(first, revisions[first]);
  draft.Delete(model::UnusedBlobKey(sha256));
  return absl::OkStatus();
}

absl::StatusOr<std::string> ReadBlob(Draft& draft, const registry::v1::VersionRecord& record) {
  std::string bytes;
  const int64_t size = record.blob_bytes();
  for (int64_t part = 0; static_cast<int64_t>(bytes.size()) < size; ++part) {
    ASSIGN_OR_RETURN(const store::RangeResult range,
                     draft.Range({.range = store::KeyRange::Single(
                                      model::BlobKey(record.blob_sha256(), part))}));
    if (range.kvs.empty()) return absl::DataLossError("a part of the descriptor set is missing");
    bytes += range.kvs[0].value;
  }
  return bytes;
}

void LeaveBlob(Draft& draft, const registry::v1::VersionRecord& record) {
  if (record.blob_sha256().empty()) return;
  draft.Put(model::UnusedBlobKey(record.blob_sha256()), draft.now());
}

absl::Status DeleteUnusedBlobs(Registry& registry) {
  ASSIGN_OR_RETURN(const store::RangeResult marks,
                   registry.store().Range({.range = store::KeyRange::Prefix(model::kUnusedBlobs)}));
  const int64_t now = absl::ToUnixSeconds(registry.clock().Wall());
  const Caller caller{.actor = "registry"};
  const std::string prefix = model::kUnusedBlobs;
  FirstError error;
  int tried = 0;
  for (const store::KeyValue& kv : marks.kvs) {
    const absl::StatusOr<Stored<Timestamp>> since = Decode<Timestamp>(kv);
    if (since.ok() && !IsLongAgo(since->value, now)) continue;
    // Once: what is lost to a change of versions waits for the next round.
    const absl::Status status =
        since.ok()
            ? Attempt(registry, DeleteIfUnused, caller, kv.key.substr(prefix.size())).status()
            : since.status();
    if (!error.GoOnAfter(status) || ++tried == kDeletedAtOnce) break;
  }
  return error.status();
}

}  // namespace pinion::service
