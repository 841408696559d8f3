// What a gateway knows of the registry: the watch stream's messages, in order, become route tables.
// Pure; owned by Watcher and used on its thread.
//
//   Receive(snapshot first) … Receive(snapshot last)  TakeTable()  Receive(changes)  TakeTable() …
//
// Nothing is ever half taken over: after an error the last table stays what it was, and the next
// request asks for a snapshot.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gateway/route/route_table.h"
#include "gateway/route/table_builder.h"
#include "gateway/watch/refusal.h"
#include "gateway/watch/schema_key.h"
#include "pinion/registry/v1/watch.pb.h"

namespace pinion::watch {

class RoutingState {
 public:
  explicit RoutingState(std::string gateway_id) : gateway_id_(std::move(gateway_id)) {}

  // An operator's word that this registry's next snapshot is right, even if it is another registry,
  // at a lower revision or with few instances; no other registry's is then. Empty: no such word.
  void Accept(std::string registry_id) {
    accepted_registry_id_ = std::move(registry_id);
    answers_word_ = false;
  }
  // The only registry whose snapshot would be taken over; empty: any.
  const std::string& expected_registry_id() const {
    return accepted_registry_id_.empty() ? registry_id_ : accepted_registry_id_;
  }

  // What continues from here. A snapshot that was half received is forgotten.
  registry::v1::WatchRequest BeginStream();

  // FailedPrecondition: another registry, or a lower revision. InvalidArgument: a resource that
  // cannot be routed by, or messages out of order. Then the stream is of no use any more.
  absl::Status Receive(const registry::v1::WatchResponse& message);

  // FailedPrecondition: what Receive() would say to a snapshot of this registry and revision.
  absl::Status CheckSnapshot(const std::string& registry_id, int64_t revision);

  // Why the last error of Receive(), CheckSnapshot() or TakeTable() was one; without the address.
  const Refusal& refusal() const { return refusal_; }

  // Whether there is something that the last table does not have.
  bool changed() const { return changed_; }
  // And that is nothing but schemas, which only reflection needs.
  bool only_schemas_changed() const { return changed_ && only_schemas_; }
  // The table of what was received. REQUIRES: changed(). FailedPrecondition: most instances would
  // be gone at once; as after an error of Receive().
  absl::StatusOr<std::shared_ptr<const route::RouteTable>> TakeTable();

  // A version whose schema is not here yet; each digest once. Nullopt: none.
  std::optional<SchemaKey> TakeWantedSchema();
  // It could not be fetched: to be taken again.
  void WantSchemaAgain(SchemaKey key) { wanted_schemas_.push_back(std::move(key)); }
  // The registry does not have it: wanted anew when a version is put whose schema it is.
  void ForgetSchema(const SchemaKey& key) { known_digests_.erase(key.digest); }
  // What was wanted.
  void PutSchema(const SchemaKey& key, std::string file_descriptor_set);

  // What the versions' schemas are known by: all that the last snapshot had, and what came since.
  const absl::flat_hash_set<std::string>& digests() const { return digests_; }

  // From now on as after an error: the next request asks for a snapshot.
  void RequestSnapshot() { needs_snapshot_ = true; }

  // Of the last table: empty and 0 before the first. A table is that of later revisions too as long
  // as the registry says that nothing of it has changed.
  const std::string& registry_id() const { return registry_id_; }
  int64_t revision() const { return revision_; }

 private:
  absl::Status ReceiveSnapshot(const registry::v1::WatchResponse& message);
  absl::Status ReceiveChanges(const registry::v1::ChangeBatch& batch);
  void ReceiveProgress(const registry::v1::WatchResponse& message);
  // Notes it for refusal().
  absl::Status Refuse(RefusalReason reason, const std::string& registry_id, absl::string_view text);
  absl::Status Apply(const routing::v1::Change& change);
  absl::Status Put(const routing::v1::Resource& resource);
  // What this keeps itself of a resource that was put.
  void Note(const routing::v1::Resource& resource);

  const std::string gateway_id_;
  std::string accepted_registry_id_;  // until its snapshot was taken
  bool answers_word_ = false;         // what was received began with that snapshot
  Refusal refusal_;
  route::TableBuilder builder_;
  absl::flat_hash_set<std::string> instance_uids_;
  absl::flat_hash_set<std::string> digests_;
  absl::flat_hash_set<std::string> known_digests_;  // here, wanted or being fetched
  std::deque<SchemaKey> wanted_schemas_;

  // Of the last table.
  std::string registry_id_;
  int64_t revision_ = 0;
  size_t instances_ = 0;
  // Of what was received since.
  std::string received_registry_id_;
  int64_t received_revision_ = 0;
  bool changed_ = false;
  bool only_schemas_ = false;  // if anything

  bool needs_snapshot_ = true;
  bool in_snapshot_ = false;
};

}  // namespace pinion::watch
