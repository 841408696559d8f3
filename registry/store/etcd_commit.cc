#include "registry/store/etcd_commit.h"

#include <algorithm>
#include <random>
#include <set>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/status_macros.h"
#include "registry/store/outcome.h"

namespace pinion::store {
namespace {

using etcdserverpb::RequestOp;
using etcdserverpb::TxnRequest;
using etcdserverpb::TxnResponse;

// What stands in a lane, with the time: which list of the last commit ran, or that its commit was
// given up.
constexpr char kThen[] = "then";
constexpr char kOtherwise[] = "otherwise";
constexpr char kFence[] = "fence";

// A process uses each of its lanes more often, or does no harm by finding it gone.
constexpr absl::Duration kLaneKept = absl::Hours(24);
constexpr int kSweptAtOnce = 100;

template <typename Kind>
bool Has(const std::vector<Op>& ops) {
  return std::any_of(ops.begin(), ops.end(),
                     [](const Op& op) { return std::holds_alternative<Kind>(op); });
}
bool Changes(const std::vector<Op>& ops) { return Has<Put>(ops) || Has<Delete>(ops); }

std::string RandomName() {
  std::random_device random;
  return absl::StrCat(absl::Hex(random(), absl::kZeroPad8), absl::Hex(random(), absl::kZeroPad8));
}

void AddUnchanged(const std::string& key, Revision revision, TxnRequest& request) {
  etcdserverpb::Compare& compare = *request.add_compare();
  compare.set_key(key);
  compare.set_target(etcdserverpb::Compare::MOD);
  compare.set_mod_revision(revision);
}

void AddPut(const std::string& key, const std::string& value,
            google::protobuf::RepeatedPtrField<RequestOp>& ops) {
  etcdserverpb::PutRequest& put = *ops.Add()->mutable_request_put();
  put.set_key(key);
  put.set_value(value);
}

// What a compare on the lane that did not hold is answered with: what stands there.
const mvccpb::KeyValue* LaneOf(const TxnResponse& response) {
  if (response.responses().empty()) return nullptr;
  const auto& kvs = response.responses(0).response_range().kvs();
  return kvs.empty() ? nullptr : &kvs.at(0);
}

absl::Status NotMade(const absl::Status& status) {
  if (status.ok()) return absl::UnavailableError("etcd is too slow; nothing was changed");
  return absl::Status(status.code(), absl::StrCat(status.message(), "; nothing was changed"));
}

absl::Status NobodyKnows(const absl::Status& status) {
  return OutcomeUnknown(absl::StrCat(
      status.message(), "; whether the change was made is not known: look before you repeat it"));
}

}  // namespace

EtcdCommitter::EtcdCommitter(EtcdConnection& connection, const EtcdEncoding& encoding)
    : connection_(connection), encoding_(encoding), process_(RandomName()) {}

absl::StatusOr<TxnResult> EtcdCommitter::Commit(const Txn& txn) {
  if (!Has<Put>(txn.then) && !Has<Put>(txn.otherwise)) return CommitWithoutLane(txn);
  Lane lane = TakeLane();
  bool lane_is_known = true;
  absl::StatusOr<TxnResult> result = CommitOn(lane, txn, lane_is_known);
  // Else a commit may still be under way on it.
  if (lane_is_known) GiveBack(std::move(lane));
  return result;
}

absl::StatusOr<TxnResult> EtcdCommitter::CommitOn(Lane& lane, const Txn& txn, bool& lane_is_known) {
  const EtcdDeadline deadline = connection_.Deadline();
  for (int attempts = 0;; ++attempts) {
    TxnResponse response;
    EtcdVerdict verdict = Send(Encode(&lane, txn), response, deadline);
    if (verdict.fate == EtcdFate::kDone && response.succeeded()) {
      const TxnResponse& branch = response.responses(0).response_txn();
      const bool has_lane = Changes(branch.succeeded() ? txn.then : txn.otherwise);
      if (has_lane) lane.revision = response.header().revision();
      return Decode(branch, response.header().revision(), has_lane);
    }
    if (verdict.fate == EtcdFate::kDone) {
      // Somebody swept it.
      const mvccpb::KeyValue* stands = LaneOf(response);
      lane.revision = stands == nullptr ? 0 : stands->mod_revision();
    } else if (verdict.fate == EtcdFate::kUnknown) {
      const absl::StatusOr<Fate> fate = Settle(lane, connection_.Deadline());
      lane_is_known = fate.ok();
      if (!fate.ok()) return NobodyKnows(verdict.status);
      if (fate->carried_out) return Reconstruct(txn, *fate);
    } else if (verdict.fate != EtcdFate::kNotDone) {
      return verdict.status;
    }
    if (!connection_.WaitBeforeRetry(attempts, deadline)) return NotMade(verdict.status);
  }
}

absl::StatusOr<TxnResult> EtcdCommitter::CommitWithoutLane(const Txn& txn) {
  const bool changes = Changes(txn.then) || Changes(txn.otherwise);
  const EtcdDeadline deadline = connection_.Deadline();
  const TxnRequest request = Encode(nullptr, txn);
  for (int attempts = 0;; ++attempts) {
    TxnResponse response;
    const EtcdVerdict verdict = Send(request, response, deadline);
    if (verdict.fate == EtcdFate::kDone) {
      return Decode(response, response.header().revision(), /*has_lane=*/false);
    }
    if (verdict.fate == EtcdFate::kUnknown && changes) return NobodyKnows(verdict.status);
    const bool again = verdict.fate == EtcdFate::kUnknown || verdict.fate == EtcdFate::kNotDone;
    if (!again || !connection_.WaitBeforeRetry(attempts, deadline)) return verdict.status;
  }
}

TxnRequest EtcdCommitter::Encode(const Lane* lane, const Txn& txn) const {
  TxnRequest request;
  TxnRequest* inner = &request;
  if (lane != nullptr) {
    AddUnchanged(lane->key, lane->revision, request);
    inner = request.add_success()->mutable_request_txn();
    request.add_failure()->mutable_request_range()->set_key(lane->key);
    if (Changes(txn.then)) AddPut(lane->key, LaneValue(kThen), *inner->mutable_success());
    if (Changes(txn.otherwise)) AddPut(lane->key, LaneValue(kOtherwise), *inner->mutable_failure());
  }
  for (const Compare& compare : txn.compares) *inner->add_compare() = encoding_.Encode(compare);
  for (const Op& op : txn.then) *inner->add_success() = encoding_.Encode(op);
  for (const Op& op : txn.otherwise) *inner->add_failure() = encoding_.Encode(op);
  return request;
}

EtcdVerdict EtcdCommitter::Send(const TxnRequest& request, TxnResponse& response,
                                EtcdDeadline deadline) {
  return connection_.Try(EtcdCall(&EtcdMember::kv, &etcdserverpb::KV::Stub::Txn, request, response),
                         deadline);
}

absl::StatusOr<EtcdCommitter::Fate> EtcdCommitter::Settle(Lane& lane, EtcdDeadline deadline) {
  TxnRequest request;
  AddUnchanged(lane.key, lane.revision, request);
  AddPut(lane.key, LaneValue(kFence), *request.mutable_success());
  request.add_failure()->mutable_request_range()->set_key(lane.key);
  for (int attempts = 0;; ++attempts) {
    TxnResponse response;
    const EtcdVerdict verdict = Send(request, response, deadline);
    if (verdict.fate == EtcdFate::kDone) {
      if (response.succeeded()) {
        lane.revision = response.header().revision();
        return Fate{};
      }
      const mvccpb::KeyValue* stands = LaneOf(response);
      if (stands == nullptr) return absl::UnavailableError("its lane was swept");
      lane.revision = stands->mod_revision();
      // An earlier attempt of this loop, whose answer was lost.
      if (absl::StartsWith(stands->value(), kFence)) return Fate{};
      return Fate{.carried_out = true,
                  .succeeded = absl::StartsWith(stands->value(), kThen),
                  .revision = stands->mod_revision()};
    }
    const bool again = verdict.fate == EtcdFate::kUnknown || verdict.fate == EtcdFate::kNotDone;
    if (!again || !connection_.WaitBeforeRetry(attempts, deadline)) return verdict.status;
  }
}

absl::StatusOr<TxnResult> EtcdCommitter::Reconstruct(const Txn& txn, const Fate& fate) {
  TxnResult result{.succeeded = fate.succeeded, .revision = fate.revision};
  std::set<std::string> changed;
  for (const Op& op : fate.succeeded ? txn.then : txn.otherwise) {
    const std::string& key =
        std::visit([](const auto& any) -> const std::string& { return any.key; }, op);
    // A get sees what came before it.
    const bool after = std::holds_alternative<Get>(op) && changed.contains(key);
    absl::StatusOr<std::optional<KeyValue>> kv =
        ReadAt(encoding_.KeyOf(key), after ? fate.revision : fate.revision - 1);
    if (!kv.ok()) {
      return OutcomeUnknown(absl::StrCat("the change was made, at revision ", fate.revision,
                                         ", but etcd's answer was lost: ", kv.status().message()));
    }
    result.results.push_back(*std::move(kv));
    if (!std::holds_alternative<Get>(op)) changed.insert(key);
  }
  return result;
}

absl::StatusOr<std::optional<KeyValue>> EtcdCommitter::ReadAt(const std::string& key,
                                                              Revision revision) {
  etcdserverpb::RangeRequest request;
  request.set_key(key);
  request.set_revision(revision);
  etcdserverpb::RangeResponse response;
  RETURN_IF_ERROR(connection_.Repeat(
      EtcdCall(&EtcdMember::kv, &etcdserverpb::KV::Stub::Range, request, response),
      connection_.Deadline()));
  if (response.kvs().empty()) return std::nullopt;
  return encoding_.Decode(response.kvs(0));
}

TxnResult EtcdCommitter::Decode(const TxnResponse& branch, Revision revision, bool has_lane) const {
  TxnResult result{.succeeded = branch.succeeded(), .revision = revision};
  for (int i = has_lane ? 1 : 0; i < branch.responses_size(); ++i) {
    result.results.push_back(encoding_.Decode(branch.responses(i)));
  }
  return result;
}

absl::StatusOr<Revision> EtcdCommitter::Mark() {
  Lane lane = TakeLane();
  // Without a commit before it, a fence is just that.
  RETURN_IF_ERROR(Settle(lane, connection_.Deadline()).status());
  const Revision revision = lane.revision;
  GiveBack(std::move(lane));
  return revision;
}

absl::Status EtcdCommitter::SweepLanes() {
  etcdserverpb::RangeRequest request;
  const KeyRange lanes = KeyRange::Prefix(encoding_.lanes());
  request.set_key(lanes.key);
  request.set_range_end(lanes.end);
  etcdserverpb::RangeResponse response;
  RETURN_IF_ERROR(connection_.Repeat(
      EtcdCall(&EtcdMember::kv, &etcdserverpb::KV::Stub::Range, request, response),
      connection_.Deadline()));
  const int64_t keep_from = absl::ToUnixSeconds(connection_.clock().Wall() - kLaneKept);
  TxnRequest sweep;
  for (const mvccpb::KeyValue& kv : response.kvs()) {
    const std::vector<absl::string_view> words = absl::StrSplit(kv.value(), ' ');
    int64_t used = 0;
    if (!absl::SimpleAtoi(words.back(), &used) || used >= keep_from) continue;
    AddUnchanged(kv.key(), kv.mod_revision(), sweep);
    sweep.add_success()->mutable_request_delete_range()->set_key(kv.key());
    if (sweep.success_size() == kSweptAtOnce) break;
  }
  if (sweep.success().empty()) return absl::OkStatus();
  // One that is used after all stops it; the next start tries again.
  TxnResponse swept;
  return Send(sweep, swept, connection_.Deadline()).status;
}

std::string EtcdCommitter::LaneValue(absl::string_view what) const {
  return absl::StrCat(what, " ", absl::ToUnixSeconds(connection_.clock().Wall()));
}

EtcdCommitter::Lane EtcdCommitter::TakeLane() {
  MutexLock lock(&mutex_);
  if (free_.empty()) return {.key = absl::StrCat(encoding_.lanes(), process_, "/", ++made_)};
  Lane lane = std::move(free_.back());
  free_.pop_back();
  return lane;
}

void EtcdCommitter::GiveBack(Lane lane) {
  MutexLock lock(&mutex_);
  free_.push_back(std::move(lane));
}

}  // namespace pinion::store
