// One change being drafted: every record that a decision rests on is read through it and
// remembered, what follows from the decision is put into it, and both are committed with the audit
// record as one transaction that holds only if nothing read has changed meanwhile. A request that
// only reads uses one too and never commits.
// Lives on the stack of one request, on one thread.
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "google/protobuf/message.h"
#include "pinion/registry/v1/audit.pb.h"
#include "pinion/registry/v1/records.pb.h"
#include "pinion/registry/v1/registry.pb.h"
#include "registry/model/errors.h"
#include "registry/service/codec.h"
#include "registry/service/page.h"
#include "registry/service/registry.h"
#include "registry/store/store.h"

namespace pinion::service {

class Draft {
 public:
  // Both outlive it.
  Draft(Registry& registry, const Caller& caller);

  // These will be asked for, or some of them: the first that is brings all, which saves the way to
  // a store elsewhere for each. By itself nothing of it is remembered.
  void Expect(std::vector<std::string> keys);

  // What stands under `key`; nullopt: nothing. Either is remembered: the commit holds only if it is
  // still so.
  template <typename Record>
  absl::StatusOr<std::optional<Stored<Record>>> Get(const std::string& key) {
    ASSIGN_OR_RETURN(const std::optional<store::KeyValue> kv, Read(key));
    if (!kv.has_value()) return std::nullopt;
    ASSIGN_OR_RETURN(Stored<Record> stored, Decode<Record>(*kv));
    return stored;
  }

  // The commit holds only if nothing comes under `prefix`, or changes there, after revision(); what
  // goes does not matter.
  void RequireNothingNew(const std::string& prefix);
  // Nor if `key` is not as `revision` has put it, be that newer than revision().
  void RequireUnchanged(const std::string& key, store::Revision revision);

  // All records under `prefix`, at one revision. Not remembered.
  template <typename Record>
  absl::StatusOr<std::vector<Stored<Record>>> All(const std::string& prefix) {
    ASSIGN_OR_RETURN(const store::RangeResult range,
                     Range({.range = store::KeyRange::Prefix(prefix)}));
    return DecodeAll<Record>(range.kvs);
  }

  // A page of them. Not remembered.
  template <typename Record>
  absl::StatusOr<Page<Record>> List(const std::string& prefix, const PageRequest& request) {
    ASSIGN_OR_RETURN(const store::RangeResult range, PageOf(prefix, request));
    Page<Record> page;
    if (range.more) page.next_token = range.kvs.back().key.substr(prefix.size());
    ASSIGN_OR_RETURN(page.records, DecodeAll<Record>(range.kvs));
    return page;
  }

  // At the draft's revision.
  absl::StatusOr<store::RangeResult> Range(store::RangeRequest request);
  absl::StatusOr<store::RangeResult> PageOf(const std::string& prefix, const PageRequest& request);
  // The keys under `prefix`, without it; at most some thousands, for messages.
  absl::StatusOr<std::vector<std::string>> NamesUnder(const std::string& prefix);
  absl::StatusOr<int64_t> Count(const std::string& prefix);

  template <typename Record>
  void Put(const std::string& key, Record record, store::LeaseId lease = 0) {
    SetRevision(record, 0);  // it is the pair's own
    PutBytes(key, record.SerializeAsString(), lease);
  }
  // The last word on a key counts.
  void PutBytes(const std::string& key, std::string value, store::LeaseId lease = 0);
  void Delete(const std::string& key);

  // What is said of this change; every draft that changes something says it, once for each object.
  // Null: it did (does) not exist. Valid until the draft ends.
  registry::v1::AuditRecord& Audit(absl::string_view command, absl::string_view object,
                                   const google::protobuf::Message* before,
                                   const google::protobuf::Message* after,
                                   absl::string_view reason = "");
  // What the last Audit() says to whoever verifies the log. REQUIRES: there was one.
  registry::v1::AuditLink& AuditLink() { return links_.back(); }

  // Its audit records begin the chains of a store that has none yet. REQUIRES: it has read the
  // store's format, and changes it.
  void BeginChains() { begins_chains_ = true; }

  // It may be bookkeeping alone, which nobody has asked for, and so without an audit record.
  void AllowUnaudited() { may_be_unaudited_ = true; }

  // What was put and said so far.
  struct Mark {
    std::vector<store::Op> ops;
    size_t audits = 0;
  };
  Mark Here() const { return {ops_, audits_.size()}; }
  // Forgets what was put and said since. What was read meanwhile stays remembered: that nothing of
  // it shall be put is decided by it.
  void ReturnTo(Mark mark);

  bool changes() const { return !ops_.empty(); }
  // The revision; nullopt: something that was read has changed, so decide anew.
  absl::StatusOr<std::optional<store::Revision>> Commit();

  const Caller& caller() const { return caller_; }
  Registry& registry() { return registry_; }
  google::protobuf::Timestamp now() const { return now_; }
  // Of all that is read; 0: the store does not say, and nothing can be read or committed.
  store::Revision revision() { return EnsureRevision().value_or(0); }
  // Of a new object; `owner` empty: the caller's.
  registry::v1::Meta NewMeta(absl::string_view owner) const;
  // Notes a change by the actor; the revision follows from the commit.
  void Touch(registry::v1::Meta& meta) const;

 private:
  absl::StatusOr<std::optional<store::KeyValue>> Read(const std::string& key);
  // Brings `key` and what is expected.
  absl::Status Bring(const std::string& key);
  absl::StatusOr<store::Revision> EnsureRevision();
  void Add(store::Op op);
  absl::StatusOr<store::TxnResult> Send(store::Txn txn);
  // The draft with its audit records, behind `head`, which becomes the place of the last one.
  store::Txn AuditedTxn(bool chained, registry::v1::AuditHead& head);

  Registry& registry_;
  const Caller& caller_;
  const google::protobuf::Timestamp now_;
  // Of the newest state when something was first read. An error: nothing can be read or committed.
  std::optional<absl::StatusOr<store::Revision>> revision_;
  std::vector<std::string> expected_;
  absl::flat_hash_map<std::string, std::optional<store::KeyValue>> brought_;
  absl::flat_hash_set<std::string> read_;
  std::vector<store::Compare> compares_;
  std::vector<store::Op> ops_;
  std::deque<registry::v1::AuditRecord> audits_;
  std::deque<registry::v1::AuditLink> links_;  // of each of them
  bool may_be_unaudited_ = false;
  bool begins_chains_ = false;
};

// Each attempt that fails means that somebody else's change succeeded. After the first few, losers
// wait for their turn: then they lose to newcomers only, and not for long.
inline constexpr int kAttemptsBeforeTurn = 4;
inline constexpr int kMaxAttempts = 1000;

// Whether the caller may do now what it asks for: before work that no draft undoes.
absl::Status CheckAllowed(Registry& registry, const Caller& caller);

// Drafts and commits once. Nullopt: lost to another change.
template <typename Request, typename Response>
absl::StatusOr<std::optional<Response>> Attempt(
    Registry& registry, absl::StatusOr<Response> (*operation)(Draft&, const Request&),
    const Caller& caller, const Request& request) {
  Draft draft(registry, caller);
  if (caller.authorize) RETURN_IF_ERROR(caller.authorize(draft));
  ASSIGN_OR_RETURN(Response response, operation(draft, request));
  if (!draft.changes()) return response;
  ASSIGN_OR_RETURN(const std::optional<store::Revision> revision, draft.Commit());
  if (!revision.has_value()) return std::nullopt;
  StampRevision(response, *revision);
  return response;
}

// Carries out `operation` for `caller`, drafting it anew as long as others change what it has read.
// Aborted: they never let it.
template <typename Request, typename Response>
absl::StatusOr<Response> Run(Registry& registry,
                             absl::StatusOr<Response> (*operation)(Draft&, const Request&),
                             const Caller& caller, const Request& request) {
  for (int i = 0; i < kAttemptsBeforeTurn; ++i) {
    ASSIGN_OR_RETURN(std::optional<Response> done, Attempt(registry, operation, caller, request));
    if (done.has_value()) return *std::move(done);
  }
  MutexLock lock(&registry.turn());
  for (int i = kAttemptsBeforeTurn; i < kMaxAttempts; ++i) {
    ASSIGN_OR_RETURN(std::optional<Response> done, Attempt(registry, operation, caller, request));
    if (done.has_value()) return *std::move(done);
  }
  return model::Refusal(absl::StatusCode::kAborted, "CONTENTION",
                        "too many others change the same objects at once; try again");
}

}  // namespace pinion::service
