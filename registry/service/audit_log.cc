#include "registry/service/audit_log.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "base/proto_duration.h"
#include "base/status_macros.h"
#include "registry/model/audit_chain.h"
#include "registry/model/errors.h"
#include "registry/model/keys.h"
#include "registry/model/validate.h"
#include "registry/service/consistent_read.h"
#include "registry/service/operations.h"

namespace pinion::service {
namespace {

using Heads = google::protobuf::RepeatedPtrField<v1::AuditHead>;

// Entries of one message; and records that one call to trim deletes, each an operation of a
// transaction.
constexpr size_t kEntryBytes = 256 * 1024;
constexpr int32_t kTrimmedAtOnce = 100;

absl::Status NotExported(absl::string_view message) {
  return model::Refusal(absl::StatusCode::kFailedPrecondition, "AUDIT_NOT_EXPORTED", message);
}

absl::Status DamagedLog(absl::string_view id) {
  return model::Refusal(absl::StatusCode::kDataLoss, "RECORD_DAMAGED",
                        absl::StrCat("the audit log is not what was written at record ", id,
                                     ", so it is not trimmed: `pinion audit verify` says more"),
                        {{"key", model::AuditKey(id)}});
}

// Whether the record comes behind `after`, which goes past it.
bool IsAfter(const model::StoredAudit& stored, const Heads& after, const v1::AuditLogState& state,
             v1::AuditHead& before) {
  int64_t sequence = stored.link.sequence();
  const v1::AuditHead* reached = model::FindHead(stored.link.chain(), after);
  if (stored.link.chain() == 0) {
    const v1::AuditHead* last = model::FindHead(0, state.heads());
    if (last != nullptr && stored.id <= last->last_id()) {
      before.set_sequence(before.sequence() + 1);
      sequence = before.sequence();
    } else {
      // In no chain: known by its id alone.
      return std::none_of(after.begin(), after.end(), [&stored](const v1::AuditHead& head) {
        return stored.id <= head.last_id();
      });
    }
  }
  return reached == nullptr || sequence > reached->sequence();
}

// Collects what is sent into messages.
class EntrySender {
 public:
  explicit EntrySender(const AuditLogSink& send) : send_(send) {}

  absl::Status Add(std::string id, std::string record) {
    bytes_ += record.size();
    v1::AuditEntry& entry = *part_.mutable_entries()->add_entries();
    entry.set_id(std::move(id));
    entry.set_record(std::move(record));
    return bytes_ < kEntryBytes ? absl::OkStatus() : Flush();
  }
  absl::Status Flush() {
    if (bytes_ == 0) return absl::OkStatus();
    RETURN_IF_ERROR(send_(part_));
    part_.Clear();
    bytes_ = 0;
    return absl::OkStatus();
  }

 private:
  const AuditLogSink& send_;
  v1::AuditLogPart part_;
  size_t bytes_ = 0;
};

// Where a reader who has come to `after` goes on: behind what was trimmed since, if that is
// further.
Heads BeginsAfter(const Heads& trimmed_to, const Heads& after) {
  Heads begins = trimmed_to;
  for (const v1::AuditHead& head : after) {
    v1::AuditHead& begin = model::HeadOf(head.chain(), begins);
    if (begin.sequence() < head.sequence()) begin = head;
  }
  return begins;
}

// ---- trimming ----

// Whether what is said to have been exported is this log's.
absl::Status CheckExported(Draft& draft, const Heads& exported, const v1::AuditLogState& state) {
  for (const v1::AuditHead& head : exported) {
    const v1::AuditHead* trimmed = model::FindHead(head.chain(), state.trimmed_to());
    if (trimmed != nullptr && trimmed->sequence() >= head.sequence()) continue;
    const std::string name = absl::StrCat("number ", head.sequence(), " of chain ", head.chain());
    if (head.chain() == 0) {
      const v1::AuditHead* last = model::FindHead(0, state.heads());
      if (last != nullptr && last->hash() == head.hash()) continue;
      return NotExported(
          "the records from before there were chains are trimmed when all of them have been "
          "exported: `pinion audit export` goes on where it stopped");
    }
    ASSIGN_OR_RETURN(
        const store::RangeResult range,
        draft.Range({.range = store::KeyRange::Single(model::AuditKey(head.last_id()))}));
    const auto stored = range.kvs.empty() ? std::nullopt : model::ParseAudit(range.kvs[0].value);
    if (!stored.has_value() || stored->link.chain() != head.chain() ||
        stored->link.sequence() != head.sequence() || stored->link.hash() != head.hash()) {
      return NotExported(absl::StrCat("what was exported is not of this log: ", name,
                                      " is another record here, or none; export it anew"));
    }
  }
  return absl::OkStatus();
}

// Goes past `stored`, whose bytes are `bytes`; a log that is not what was written stays as it is.
absl::Status GoPast(const model::StoredAudit& stored, const std::string& bytes,
                    v1::AuditHead& head) {
  if (stored.link.chain() == 0) {
    model::AddUnchained(stored.id, bytes, head);
    return absl::OkStatus();
  }
  if (stored.link.sequence() != head.sequence() + 1 ||
      stored.link.hash() != model::AuditHash(head.hash(), stored.hashed)) {
    return DamagedLog(stored.id);
  }
  head.set_sequence(stored.link.sequence());
  head.set_hash(stored.link.hash());
  head.set_last_id(stored.id);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<v1::RegistryIdentity> ReadIdentity(store::Store& store, store::Revision revision) {
  ASSIGN_OR_RETURN(
      const store::RangeResult range,
      store.Range({.range = store::KeyRange::Single(model::kRegistryKey), .revision = revision}));
  if (range.kvs.empty()) return model::Damaged(model::kRegistryKey);
  ASSIGN_OR_RETURN(auto identity, Decode<v1::RegistryIdentity>(range.kvs[0]));
  return std::move(identity.value);
}

absl::StatusOr<v1::AuditLogState> ReadAuditState(store::Store& store, store::Revision revision) {
  v1::AuditLogState state;
  ASSIGN_OR_RETURN(const v1::RegistryIdentity identity, ReadIdentity(store, revision));
  state.set_registry_id(identity.id());
  *state.mutable_restored_from() = identity.restored_from();
  state.set_revision(revision);
  ASSIGN_OR_RETURN(
      const store::RangeResult range,
      store.Range({.range = store::KeyRange::Prefix(model::kAuditHeads), .revision = revision}));
  ASSIGN_OR_RETURN(const auto heads, DecodeAll<v1::AuditHead>(range.kvs));
  for (const auto& head : heads) *state.add_heads() = head.value;
  ASSIGN_OR_RETURN(
      const store::RangeResult trim,
      store.Range({.range = store::KeyRange::Single(model::kAuditTrimKey), .revision = revision}));
  if (!trim.kvs.empty()) {
    ASSIGN_OR_RETURN(const auto trimmed, Decode<v1::AuditTrim>(trim.kvs[0]));
    *state.mutable_trimmed_to() = trimmed.value.trimmed_to();
  }
  *state.mutable_begins_after() = state.trimmed_to();
  return state;
}

absl::StatusOr<v1::AuditLogState> GetAuditHead(Draft& draft, const v1::GetAuditHeadRequest&) {
  ASSIGN_OR_RETURN(v1::AuditLogState state,
                   ReadAuditState(draft.registry().store(), draft.revision()));
  *state.mutable_time() = draft.now();
  return state;
}

absl::Status ReadAuditLog(Registry& registry, const Caller& caller,
                          const v1::ReadAuditLogRequest& request, const AuditLogSink& send) {
  ASSIGN_OR_RETURN(const auto read, ConsistentRead::Begin(registry, caller, ""));
  ASSIGN_OR_RETURN(v1::AuditLogState state, ReadAuditState(registry.store(), read->revision()));
  *state.mutable_time() = ToTimestamp(registry.clock().Wall());
  *state.mutable_begins_after() = BeginsAfter(state.trimmed_to(), request.after());
  v1::AuditLogPart begin;
  *begin.mutable_begin() = state;
  RETURN_IF_ERROR(send(begin));

  EntrySender sender(send);
  v1::AuditHead before;
  if (const auto* trimmed = model::FindHead(0, state.trimmed_to())) before = *trimmed;
  RETURN_IF_ERROR(read->ForEach(
      store::KeyRange::Prefix(model::kAudit), [&](const store::KeyValue& kv) -> absl::Status {
        // What cannot be read is for the reader to name.
        const auto stored = model::ParseAudit(kv.value);
        if (stored.has_value() && !IsAfter(*stored, request.after(), state, before)) {
          return absl::OkStatus();
        }
        return sender.Add(kv.key.substr(absl::string_view(model::kAudit).size()), kv.value);
      }));
  RETURN_IF_ERROR(sender.Flush());
  v1::AuditLogPart end;
  *end.mutable_end() = state;
  return send(end);
}

absl::StatusOr<v1::TrimAuditLogResponse> TrimAuditLog(Draft& draft,
                                                      const v1::TrimAuditLogRequest& request) {
  RETURN_IF_ERROR(model::ValidateText("reason", request.reason(), model::kMaxReasonBytes));
  if (!request.has_before() || request.before().seconds() > draft.now().seconds()) {
    return model::Refusal(absl::StatusCode::kInvalidArgument, "ARGUMENT_INVALID",
                          "`before` must be a time that has passed");
  }
  ASSIGN_OR_RETURN(const auto trim, draft.Get<v1::AuditTrim>(model::kAuditTrimKey));
  ASSIGN_OR_RETURN(const v1::AuditLogState state,
                   ReadAuditState(draft.registry().store(), draft.revision()));
  if (state.heads().empty()) {
    return model::Refusal(absl::StatusCode::kFailedPrecondition, "STORE_FORMAT_OLD",
                          "the audit log has no chains yet, so nothing could tell what was "
                          "trimmed: `pinion registry migrate` begins them");
  }
  RETURN_IF_ERROR(CheckExported(draft, request.exported(), state));
  v1::AuditTrim trimmed;
  if (trim.has_value()) trimmed = trim->value;
  ASSIGN_OR_RETURN(const store::RangeResult page, draft.PageOf(model::kAudit, {kTrimmedAtOnce}));
  v1::TrimAuditLogResponse response;
  std::string first, last;
  for (const store::KeyValue& kv : page.kvs) {
    const auto stored = model::ParseAudit(kv.value);
    if (!stored.has_value()) return DamagedLog(kv.key);
    ASSIGN_OR_RETURN(const auto record, Decode<v1::AuditRecord>(kv));
    v1::AuditHead before;
    if (const auto* head = model::FindHead(0, trimmed.trimmed_to())) before = *head;
    if (record.value.time().seconds() >= request.before().seconds() ||
        IsAfter(*stored, request.exported(), state, before)) {
      break;
    }
    const v1::AuditHead* seal = model::FindHead(0, state.heads());
    const bool in_none =
        stored->link.chain() == 0 && (seal == nullptr || stored->id > seal->last_id());
    if (!in_none) {
      RETURN_IF_ERROR(GoPast(*stored, kv.value,
                             model::HeadOf(stored->link.chain(), *trimmed.mutable_trimmed_to())));
    }
    draft.Delete(kv.key);
    if (first.empty()) first = stored->id;
    last = stored->id;
    response.set_trimmed(response.trimmed() + 1);
  }
  *response.mutable_trimmed_to() = trimmed.trimmed_to();
  if (response.trimmed() == 0) return response;
  response.set_more(response.trimmed() == kTrimmedAtOnce);
  draft.Put(model::kAuditTrimKey, trimmed);
  v1::TrimAuditLogResponse said;
  said.set_trimmed(response.trimmed());
  draft.Audit("audit.trim", absl::StrCat(first, " to ", last), nullptr, &said, request.reason());
  *draft.AuditLink().mutable_trimmed_to() = trimmed.trimmed_to();
  return response;
}

}  // namespace pinion::service
