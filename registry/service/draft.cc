#include "registry/service/draft.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "google/protobuf/util/json_util.h"
#include "registry/model/audit_chain.h"
#include "registry/model/errors.h"
#include "registry/model/keys.h"
#include "registry/store/outcome.h"

namespace pinion::service {
namespace {

// An audit record says what changed, not all there is: the object itself is kept beside it.
constexpr size_t kMaxAuditedBytes = 16 * 1024;
// Among more names than these nobody looks for the nearest.
constexpr size_t kMaxNames = 10'000;
// Each one lost means that another registry has written into the very chain that was taken.
constexpr int kMaxChainAttempts = 100;

// A store elsewhere may be away, which is not to be taken for a registry that is; and one that has
// no room refuses otherwise than a bound of the registry's own.
absl::Status ForCaller(const absl::Status& status) {
  if (absl::IsResourceExhausted(status)) return model::WithReason(status, "STORE_FULL");
  if (!absl::IsUnavailable(status)) return status;
  if (store::IsOutcomeUnknown(status)) return model::WithReason(status, "OUTCOME_UNKNOWN");
  return model::Refusal(status.code(), "STORE_UNAVAILABLE",
                        absl::StrCat("the registry's store is away: ", status.message()));
}

std::string ToJson(const google::protobuf::Message* message) {
  if (message == nullptr) return "";
  std::string json;
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  const auto status = google::protobuf::util::MessageToJsonString(*message, &json, options);
  if (!status.ok() || json.size() > kMaxAuditedBytes) {
    return absl::StrCat("{\"omitted_bytes\":", json.size(), "}");
  }
  return json;
}

std::optional<store::Revision> Outcome(const store::TxnResult& result) {
  return result.succeeded ? std::optional(result.revision) : std::nullopt;
}

}  // namespace

Draft::Draft(Registry& registry, const Caller& caller)
    : registry_(registry), caller_(caller), now_(ToTimestamp(registry.clock().Wall())) {}

absl::StatusOr<store::Revision> Draft::EnsureRevision() {
  if (!revision_.has_value()) revision_ = registry_.store().Newest();
  if (!revision_->ok()) return ForCaller(revision_->status());
  return *revision_;
}

void Draft::Expect(std::vector<std::string> keys) { expected_ = std::move(keys); }

absl::Status Draft::Bring(const std::string& key) {
  std::vector<std::string> keys = {key};
  for (std::string& other : std::exchange(expected_, {})) {
    if (other != key && !brought_.contains(other)) keys.push_back(std::move(other));
  }
  // One state for all: what is read later is never newer than what it is judged by.
  store::Revision at = 0;
  if (revision_.has_value()) {
    ASSIGN_OR_RETURN(at, EnsureRevision());
  }
  absl::StatusOr<store::Pairs> pairs = registry_.store().ReadKeys(keys, at);
  if (!revision_.has_value()) {
    revision_ = pairs.ok() ? absl::StatusOr<store::Revision>(pairs->revision) : pairs.status();
  }
  if (!pairs.ok()) return ForCaller(pairs.status());
  for (size_t i = 0; i < keys.size(); ++i) brought_[keys[i]] = std::move(pairs->kvs[i]);
  return absl::OkStatus();
}

absl::StatusOr<std::optional<store::KeyValue>> Draft::Read(const std::string& key) {
  if (!brought_.contains(key)) RETURN_IF_ERROR(Bring(key));
  const std::optional<store::KeyValue>& kv = brought_[key];
  if (read_.insert(key).second) {
    compares_.push_back(store::Compare::Unchanged(key, kv.has_value() ? kv->mod_revision : 0));
  }
  return kv;
}

void Draft::RequireNothingNew(const std::string& prefix) {
  compares_.push_back(store::Compare::NothingPutSince(store::KeyRange::Prefix(prefix), revision()));
}

void Draft::RequireUnchanged(const std::string& key, store::Revision revision) {
  compares_.push_back(store::Compare::Unchanged(key, revision));
}

absl::StatusOr<store::RangeResult> Draft::Range(store::RangeRequest request) {
  ASSIGN_OR_RETURN(request.revision, EnsureRevision());
  absl::StatusOr<store::RangeResult> result = registry_.store().Range(request);
  if (!result.ok()) return ForCaller(result.status());
  return result;
}

absl::StatusOr<store::RangeResult> Draft::PageOf(const std::string& prefix,
                                                 const PageRequest& request) {
  if (request.size < 0) {
    return model::Refusal(absl::StatusCode::kInvalidArgument, "ARGUMENT_INVALID",
                          "page_size must not be negative");
  }
  store::KeyRange range = store::KeyRange::Prefix(prefix);
  if (!request.token.empty()) {
    if (request.newest_first) {
      range.end = prefix + request.token;
    } else {
      range.key = prefix + request.token + '\0';
    }
  }
  const int32_t size = request.size == 0 ? kDefaultPage : std::min(request.size, kMaxPage);
  return Range({.range = std::move(range),
                .limit = static_cast<size_t>(size),
                .descending = request.newest_first});
}

absl::StatusOr<std::vector<std::string>> Draft::NamesUnder(const std::string& prefix) {
  ASSIGN_OR_RETURN(
      const store::RangeResult range,
      Range({.range = store::KeyRange::Prefix(prefix), .limit = kMaxNames, .keys_only = true}));
  std::vector<std::string> names;
  for (const store::KeyValue& kv : range.kvs) names.push_back(kv.key.substr(prefix.size()));
  return names;
}

absl::StatusOr<int64_t> Draft::Count(const std::string& prefix) {
  ASSIGN_OR_RETURN(const store::RangeResult range,
                   Range({.range = store::KeyRange::Prefix(prefix), .count_only = true}));
  return range.count;
}

void Draft::PutBytes(const std::string& key, std::string value, store::LeaseId lease) {
  Add(store::Put{key, std::move(value), lease});
}

void Draft::Delete(const std::string& key) { Add(store::Delete{key}); }

void Draft::Add(store::Op op) {
  const auto key_of = [](const store::Op& any) -> const std::string& {
    return std::visit([](const auto& one) -> const std::string& { return one.key; }, any);
  };
  const auto there = std::find_if(ops_.begin(), ops_.end(), [&](const store::Op& other) {
    return key_of(other) == key_of(op);
  });
  if (there != ops_.end()) {
    *there = std::move(op);
  } else {
    ops_.push_back(std::move(op));
  }
}

registry::v1::AuditRecord& Draft::Audit(absl::string_view command, absl::string_view object,
                                        const google::protobuf::Message* before,
                                        const google::protobuf::Message* after,
                                        absl::string_view reason) {
  links_.emplace_back();
  registry::v1::AuditRecord& record = audits_.emplace_back();
  *record.mutable_time() = now_;
  record.set_actor(caller_.actor);
  record.set_command(std::string(command));
  record.set_object(std::string(object));
  record.set_old_value(ToJson(before));
  record.set_new_value(ToJson(after));
  record.set_reason(std::string(reason));
  return record;
}

void Draft::ReturnTo(Mark mark) {
  ops_ = std::move(mark.ops);
  audits_.resize(mark.audits);
  links_.resize(mark.audits);
}

absl::StatusOr<std::optional<store::Revision>> Draft::Commit() {
  CHECK(!audits_.empty() || may_be_unaudited_);
  if (revision_.has_value()) RETURN_IF_ERROR(EnsureRevision().status());
  if (audits_.empty()) {
    ASSIGN_OR_RETURN(const store::TxnResult result, Send({.compares = compares_, .then = ops_}));
    return Outcome(result);
  }
  // What other registries write into the chain that was taken is nobody's loss: it is written anew.
  for (int i = 0; i < kMaxChainAttempts; ++i) {
    AuditChains::Turn turn = registry_.audit_chains().Take(begins_chains_);
    registry::v1::AuditHead head = turn.head();
    store::Txn txn = AuditedTxn(turn.chained(), head);
    turn.Guard(head, txn);
    ASSIGN_OR_RETURN(const store::TxnResult result, Send(std::move(txn)));
    ASSIGN_OR_RETURN(const bool ended, turn.Ended(result, head));
    if (ended) return Outcome(result);
  }
  return std::nullopt;
}

absl::StatusOr<store::TxnResult> Draft::Send(store::Txn txn) {
  absl::StatusOr<store::TxnResult> result = registry_.store().Commit(std::move(txn));
  if (!result.ok()) return ForCaller(result.status());
  return result;
}

store::Txn Draft::AuditedTxn(bool chained, registry::v1::AuditHead& head) {
  store::Txn txn{.compares = compares_, .then = ops_, .otherwise = {}};
  for (size_t i = 0; i < audits_.size(); ++i) {
    registry::v1::AuditRecord& audit = audits_[i];
    audit.set_id(registry_.NextAuditId(head.last_id()));
    const std::string key = model::AuditKey(audit.id());
    // Another registry on the same store may have taken the id.
    txn.compares.push_back(store::Compare::Absent(key));
    txn.then.push_back(store::Put{key, chained ? model::ChainAuditRecord(audit, links_[i], head)
                                               : audit.SerializeAsString()});
  }
  return txn;
}

registry::v1::Meta Draft::NewMeta(absl::string_view owner) const {
  registry::v1::Meta meta;
  const std::string& callers = caller_.owner.empty() ? caller_.actor : caller_.owner;
  meta.set_owner(owner.empty() ? callers : std::string(owner));
  meta.set_created_by(caller_.actor);
  *meta.mutable_create_time() = now_;
  Touch(meta);
  return meta;
}

void Draft::Touch(registry::v1::Meta& meta) const {
  meta.set_updated_by(caller_.actor);
  meta.set_revision(0);
  *meta.mutable_update_time() = now_;
}

absl::Status CheckAllowed(Registry& registry, const Caller& caller) {
  if (!caller.authorize) return absl::OkStatus();
  Draft draft(registry, caller);
  return caller.authorize(draft);
}

}  // namespace pinion::service
