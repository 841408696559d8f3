#include "registry/store/etcd_store.h"

#include <algorithm>
#include <atomic>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/status_macros.h"
#include "registry/store/etcd_commit.h"
#include "registry/store/etcd_connection.h"
#include "registry/store/etcd_encoding.h"
#include "registry/store/etcd_last.h"
#include "registry/store/etcd_leases.h"
#include "registry/store/etcd_watcher.h"

namespace pinion::store {
namespace {

// Of the last few pairs of a range, so many more than wanted are read rather than counted apart.
constexpr size_t kEnough = 4;
constexpr size_t kEnoughAlways = 100;

class EtcdStore : public Store {
 public:
  explicit EtcdStore(std::unique_ptr<EtcdConnection> connection)
      : connection_(std::move(connection)),
        encoding_(connection_->options().prefix),
        committer_(*connection_, encoding_),
        leases_(*connection_, encoding_, connection_->options().prefix) {}

  absl::Status Start() {
    ASSIGN_OR_RETURN(compact_revision_, FindCompactRevision(*connection_));
    RETURN_IF_ERROR(committer_.SweepLanes());
    RETURN_IF_ERROR(leases_.Start());
    return Newest().status();
  }

  absl::StatusOr<RangeResult> Range(const RangeRequest& request) override;
  absl::StatusOr<Pairs> ReadKeys(const std::vector<std::string>& keys, Revision revision) override;
  absl::StatusOr<TxnResult> Commit(Txn txn) override {
    RETURN_IF_ERROR(ValidateTxn(txn));
    RETURN_IF_ERROR(leases_.CheckLive(txn));
    return committer_.Commit(txn);
  }
  std::unique_ptr<Watcher> Watch(KeyRange range, Revision after) override {
    return std::make_unique<EtcdWatcher>(*connection_, encoding_, committer_, std::move(range),
                                         after);
  }
  absl::Status Compact(Revision revision) override;
  absl::StatusOr<Revision> Newest() override;
  Revision revision() const override { return connection_->newest(); }
  Revision compact_revision() const override { return compact_revision_.load(); }
  absl::StatusOr<LeaseId> GrantLease(absl::Duration ttl) override {
    RETURN_IF_ERROR(ValidateLeaseTtl(ttl));
    return leases_.Grant(ttl);
  }
  absl::StatusOr<absl::Duration> RenewLease(LeaseId id) override { return leases_.Renew(id); }
  absl::StatusOr<std::vector<ExpiredLease>> ExpiredLeases() override { return leases_.Expired(); }
  absl::Status RevokeLease(LeaseId id) override { return leases_.Revoke(id); }
  std::string Describe() const override {
    return absl::StrCat("etcd ", absl::StrJoin(connection_->options().endpoints, ","), " ",
                        connection_->options().prefix);
  }

 private:
  absl::StatusOr<RangeResult> Read(const RangeRequest& request);
  absl::StatusOr<RangeResult> ReadAt(const RangeRequest& request, bool serializable);
  absl::StatusOr<Pairs> ReadKeysAt(const std::vector<std::string>& keys, Revision revision,
                                   bool serializable);
  // The last `limit` pairs, which etcd itself would find by reading all.
  absl::StatusOr<RangeResult> ReadLast(RangeRequest request);

  const std::unique_ptr<EtcdConnection> connection_;
  const EtcdEncoding encoding_;
  EtcdCommitter committer_;
  EtcdLeases leases_;
  std::atomic<Revision> compact_revision_ = 1;  // as far as this process knows
};

absl::StatusOr<RangeResult> EtcdStore::Range(const RangeRequest& request) {
  const bool last = request.descending && request.limit > 0 && !request.count_only;
  return last ? ReadLast(request) : Read(request);
}

absl::StatusOr<RangeResult> EtcdStore::ReadLast(RangeRequest request) {
  if (request.revision == 0) {
    ASSIGN_OR_RETURN(request.revision, Newest());
  }
  // Mostly there are so few that they come at once.
  const size_t enough = kEnough * request.limit + kEnoughAlways;
  RangeRequest beginning = request;
  beginning.descending = false;
  beginning.limit = enough;
  ASSIGN_OR_RETURN(RangeResult result, Read(beginning));
  if (result.more) {
    const CountKeys count = [this, &request](const KeyRange& part) -> absl::StatusOr<int64_t> {
      ASSIGN_OR_RETURN(const RangeResult counted,
                       Read({.range = part, .revision = request.revision, .count_only = true}));
      return counted.count;
    };
    // One more than wanted, by which the answer says that there are more.
    ASSIGN_OR_RETURN(request.range, LastKeys(request.range, result.kvs.front().key,
                                             static_cast<int64_t>(request.limit) + 1,
                                             static_cast<int64_t>(enough), count));
    return Read(request);
  }
  std::reverse(result.kvs.begin(), result.kvs.end());
  result.more = result.kvs.size() > request.limit;
  if (result.more) result.kvs.resize(request.limit);
  result.count = static_cast<int64_t>(result.kvs.size());
  return result;
}

absl::StatusOr<RangeResult> EtcdStore::Read(const RangeRequest& request) {
  if (request.revision > 0) {
    // A past state is the same at every member that has it, so the others need not be asked.
    absl::StatusOr<RangeResult> result = ReadAt(request, /*serializable=*/true);
    // Else this member may be behind.
    if (!absl::IsOutOfRange(result.status())) return result;
  }
  return ReadAt(request, /*serializable=*/false);
}

absl::StatusOr<RangeResult> EtcdStore::ReadAt(const RangeRequest& request, bool serializable) {
  etcdserverpb::RangeRequest wire = encoding_.Encode(request);
  wire.set_serializable(serializable);
  etcdserverpb::RangeResponse response;
  RETURN_IF_ERROR(
      connection_->Repeat(EtcdCall(&EtcdMember::kv, &etcdserverpb::KV::Stub::Range, wire, response),
                          connection_->Deadline()));
  RangeResult result{
      .more = response.more(),
      .count = request.count_only ? response.count() : response.kvs_size(),
      .revision = request.revision > 0 ? request.revision : response.header().revision()};
  result.kvs.reserve(static_cast<size_t>(response.kvs_size()));
  for (const mvccpb::KeyValue& kv : response.kvs()) result.kvs.push_back(encoding_.Decode(kv));
  return result;
}

absl::StatusOr<Pairs> EtcdStore::ReadKeys(const std::vector<std::string>& keys, Revision revision) {
  if (revision > 0) {
    // As in Read().
    absl::StatusOr<Pairs> pairs = ReadKeysAt(keys, revision, /*serializable=*/true);
    if (!absl::IsOutOfRange(pairs.status())) return pairs;
  }
  return ReadKeysAt(keys, revision, /*serializable=*/false);
}

absl::StatusOr<Pairs> EtcdStore::ReadKeysAt(const std::vector<std::string>& keys, Revision revision,
                                            bool serializable) {
  // Without anything to change it is a read like any other, of which the log knows nothing.
  etcdserverpb::TxnRequest wire;
  for (const std::string& key : keys) {
    etcdserverpb::RangeRequest& range = *wire.add_success()->mutable_request_range();
    range.set_key(encoding_.KeyOf(key));
    range.set_revision(revision);
    range.set_serializable(serializable);
  }
  etcdserverpb::TxnResponse response;
  RETURN_IF_ERROR(
      connection_->Repeat(EtcdCall(&EtcdMember::kv, &etcdserverpb::KV::Stub::Txn, wire, response),
                          connection_->Deadline()));
  Pairs pairs{.revision = revision > 0 ? revision : response.header().revision()};
  for (const etcdserverpb::ResponseOp& op : response.responses()) {
    pairs.kvs.push_back(encoding_.Decode(op));
  }
  return pairs;
}

absl::StatusOr<Revision> EtcdStore::Newest() {
  // Not serializable: the member asks the leader how far all that was acknowledged is.
  etcdserverpb::RangeRequest wire;
  wire.set_key(connection_->options().prefix);
  wire.set_count_only(true);
  etcdserverpb::RangeResponse response;
  RETURN_IF_ERROR(
      connection_->Repeat(EtcdCall(&EtcdMember::kv, &etcdserverpb::KV::Stub::Range, wire, response),
                          connection_->Deadline()));
  return response.header().revision();
}

absl::Status EtcdStore::Compact(Revision revision) {
  etcdserverpb::CompactionRequest request;
  request.set_revision(revision);
  etcdserverpb::CompactionResponse response;
  const absl::Status status = connection_->Repeat(
      EtcdCall(&EtcdMember::kv, &etcdserverpb::KV::Stub::Compact, request, response),
      connection_->Deadline());
  if (status.ok()) {
    Revision known = compact_revision_.load();
    while (known < revision && !compact_revision_.compare_exchange_weak(known, revision)) {
    }
    return status;
  }
  if (!absl::IsOutOfRange(status) || !absl::StrContains(status.message(), "compacted"))
    return status;
  // By another registry, an attempt whose answer was lost, or etcd itself.
  ASSIGN_OR_RETURN(compact_revision_, FindCompactRevision(*connection_));
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<Store>> OpenEtcdStore(const EtcdOptions& options,
                                                     const Clock& clock) {
  ASSIGN_OR_RETURN(std::unique_ptr<EtcdConnection> connection,
                   EtcdConnection::Open(options, clock));
  auto store = std::make_unique<EtcdStore>(std::move(connection));
  RETURN_IF_ERROR(store->Start());
  return std::unique_ptr<Store>(std::move(store));
}

}  // namespace pinion::store
