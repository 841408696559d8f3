#include "gateway/watch/routing_state.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/status_macros.h"
#include "gateway/watch_limits.h"

namespace pinion::watch {

using registry::v1::SnapshotChunk;
using registry::v1::WatchRequest;
using registry::v1::WatchResponse;

WatchRequest RoutingState::BeginStream() {
  if (in_snapshot_ || changed_) needs_snapshot_ = true;
  in_snapshot_ = false;
  changed_ = false;
  WatchRequest request;
  request.set_gateway_id(gateway_id_);
  if (!accepted_registry_id_.empty()) {
    request.set_registry_id(accepted_registry_id_);
  } else {
    request.set_registry_id(registry_id_);
    if (!needs_snapshot_) request.set_from_revision(revision_);
  }
  return request;
}

absl::Status RoutingState::Receive(const WatchResponse& message) {
  absl::Status status;
  switch (message.message_case()) {
    case WatchResponse::kSnapshot:
      status = ReceiveSnapshot(message);
      break;
    case WatchResponse::kChanges:
      status = message.registry_id() != received_registry_id_ || in_snapshot_ || needs_snapshot_
                   ? absl::InvalidArgumentError("changes that belong to no snapshot")
                   : ReceiveChanges(message.changes());
      break;
    case WatchResponse::kProgress:
      ReceiveProgress(message);
      break;
    case WatchResponse::MESSAGE_NOT_SET:  // what only a newer registry says
      break;
  }
  if (!status.ok()) {
    if (!absl::IsFailedPrecondition(status)) refusal_ = {};
    needs_snapshot_ = true;
    changed_ = false;
  }
  return status;
}

absl::Status RoutingState::Refuse(RefusalReason reason, const std::string& registry_id,
                                  absl::string_view text) {
  refusal_ = {.reason = reason, .registry_ids = {registry_id}, .address = ""};
  return absl::FailedPreconditionError(text);
}

absl::Status RoutingState::CheckSnapshot(const std::string& registry_id, int64_t revision) {
  if (!accepted_registry_id_.empty()) {
    if (registry_id == accepted_registry_id_) return absl::OkStatus();
    return Refuse(
        RefusalReason::kOtherRegistry, registry_id,
        absl::StrCat("this is registry ", registry_id,
                     ", and the one that an operator accepted is ", accepted_registry_id_));
  }
  if (registry_id_.empty()) return absl::OkStatus();
  if (registry_id != registry_id_) {
    return Refuse(RefusalReason::kOtherRegistry, registry_id,
                  absl::StrCat("this is registry ", registry_id, ", and this gateway follows ",
                               registry_id_));
  }
  if (revision < revision_) {
    return Refuse(
        RefusalReason::kLowerRevision, registry_id,
        absl::StrCat("the registry is at revision ", revision, ", and this gateway has seen ",
                     revision_, ": it was set back, or is a replica that has yet to catch up"));
  }
  return absl::OkStatus();
}

absl::Status RoutingState::ReceiveSnapshot(const WatchResponse& message) {
  const SnapshotChunk& chunk = message.snapshot();
  if (chunk.first()) {
    RETURN_IF_ERROR(CheckSnapshot(message.registry_id(), chunk.revision()));
    builder_.Clear();
    instance_uids_.clear();
    digests_.clear();
    in_snapshot_ = true;
    changed_ = false;
    answers_word_ = !accepted_registry_id_.empty();
    received_registry_id_ = message.registry_id();
    received_revision_ = chunk.revision();
  }
  if (!in_snapshot_ || message.registry_id() != received_registry_id_ ||
      chunk.revision() != received_revision_) {
    return absl::InvalidArgumentError("a part of a snapshot that did not begin");
  }
  RETURN_IF_ERROR(builder_.PutAll(
      chunk.resources(), [this](const routing::v1::Resource& resource) { Note(resource); }));
  if (chunk.last()) {
    in_snapshot_ = false;
    needs_snapshot_ = false;
    changed_ = true;
    only_schemas_ = false;
  }
  return absl::OkStatus();
}

absl::Status RoutingState::ReceiveChanges(const registry::v1::ChangeBatch& batch) {
  for (const registry::v1::RevisionChanges& revision : batch.revisions()) {
    if (revision.revision() <= received_revision_) {
      return absl::InvalidArgumentError(
          absl::StrCat("revision ", revision.revision(), " came after ", received_revision_));
    }
    for (const routing::v1::Change& change : revision.changes()) RETURN_IF_ERROR(Apply(change));
    received_revision_ = revision.revision();
    changed_ = true;
    only_schemas_ = false;
  }
  return absl::OkStatus();
}

// What came since concerns nobody's routing, so the last table is that of the later revision too.
void RoutingState::ReceiveProgress(const WatchResponse& message) {
  const int64_t revision = message.progress().revision();
  const bool in_step = !changed_ && !in_snapshot_ && !needs_snapshot_ && revision_ > 0 &&
                       message.registry_id() == registry_id_;
  if (in_step && revision > revision_) received_revision_ = revision_ = revision;
}

absl::Status RoutingState::Apply(const routing::v1::Change& change) {
  if (change.has_put()) return Put(change.put());
  RETURN_IF_ERROR(builder_.Apply(change));
  if (change.deleted().has_instance()) instance_uids_.erase(change.deleted().instance().uid());
  return absl::OkStatus();
}

absl::Status RoutingState::Put(const routing::v1::Resource& resource) {
  RETURN_IF_ERROR(builder_.Put(resource));
  Note(resource);
  return absl::OkStatus();
}

void RoutingState::Note(const routing::v1::Resource& resource) {
  if (resource.has_instance()) instance_uids_.insert(resource.instance().uid());
  const routing::v1::Version& version = resource.version();
  if (version.schema_digest().empty()) return;
  digests_.insert(version.schema_digest());
  if (known_digests_.insert(version.schema_digest()).second) {
    wanted_schemas_.push_back({version.service(), version.name(), version.schema_digest()});
  }
}

std::optional<SchemaKey> RoutingState::TakeWantedSchema() {
  if (wanted_schemas_.empty()) return std::nullopt;
  SchemaKey key = std::move(wanted_schemas_.front());
  wanted_schemas_.pop_front();
  return key;
}

void RoutingState::PutSchema(const SchemaKey& key, std::string file_descriptor_set) {
  builder_.PutSchema(key.digest, std::move(file_descriptor_set));
  // While the builder has something else than the last table, that comes first.
  if (in_snapshot_ || needs_snapshot_) return;
  only_schemas_ |= !changed_;
  changed_ = true;
}

absl::StatusOr<std::shared_ptr<const route::RouteTable>> RoutingState::TakeTable() {
  CHECK(changed_ && !in_snapshot_);
  if (!answers_word_ && instances_ >= limits::kInstancesWatchedMin &&
      instance_uids_.size() * 2 < instances_) {
    needs_snapshot_ = true;
    changed_ = false;
    return Refuse(RefusalReason::kLostInstances, received_registry_id_,
                  absl::StrCat("of ", instances_, " instances only ", instance_uids_.size(),
                               " would be left at once"));
  }
  // A schema, or what came before the word, leaves it in force.
  if (std::exchange(answers_word_, false)) accepted_registry_id_.clear();
  changed_ = false;
  registry_id_ = received_registry_id_;
  revision_ = received_revision_;
  instances_ = instance_uids_.size();
  return builder_.Build();
}

}  // namespace pinion::watch
