#include "registry/store/etcd_leases.h"

#include <algorithm>
#include <random>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/sha256.h"
#include "base/status_macros.h"

namespace pinion::store {
namespace {

using etcdserverpb::LeaseTimeToLiveResponse;
using Stub = etcdserverpb::Lease::Stub;

constexpr int kHashShift = 31;
constexpr int kRandomShift = 2;
constexpr LeaseId kKindMask = 3;
constexpr uint32_t kRandomMask = (1U << (kHashShift - kRandomShift)) - 1;

// 126 years: etcd keeps the end of a lease in nanoseconds since 1970, which end in 2262.
constexpr int64_t kEndlessSeconds = 4'000'000'000;
// Longer than the housekeeping of a living process pauses.
constexpr int64_t kPresenceSeconds = 10;
// What a living process, which renews it every second, leaves of it. One that is busy for longer is
// taken for dead, and then leases only last longer.
constexpr int64_t kLivePresenceSecondsMin = kPresenceSeconds - 3;
constexpr absl::Duration kGoodbye = absl::Seconds(1);

LeaseId BaseOf(const std::string& prefix) {
  uint32_t hash = 0;
  CHECK(absl::SimpleHexAtoi(Sha256Hex(prefix).substr(0, 8), &hash));
  return static_cast<LeaseId>(hash) << kHashShift;
}

absl::Status NoLease(LeaseId id) {
  return absl::NotFoundError(absl::StrCat("lease ", id, " does not exist, or has run out"));
}

}  // namespace

EtcdLeases::EtcdLeases(EtcdConnection& connection, const EtcdEncoding& encoding,
                       const std::string& prefix)
    : connection_(connection), encoding_(encoding), base_(BaseOf(prefix)) {}

EtcdLeases::~EtcdLeases() {
  MutexLock lock(&mutex_);
  if (presence_ != 0) (void)RevokeNative(presence_, connection_.clock().Monotonic() + kGoodbye);
}

absl::Status EtcdLeases::Start() {
  ASSIGN_OR_RETURN(const absl::flat_hash_set<LeaseId> all, List());
  ASSIGN_OR_RETURN(const bool others, OthersLive(all));
  if (!others) {
    for (const LeaseId id : all) {
      if (!Is(id, Kind::kLease)) continue;
      RETURN_IF_ERROR(Revive(id, all.contains(id | static_cast<LeaseId>(Kind::kHeartbeat))));
    }
  }
  // Only now: of two that start at once neither relies on the other.
  return RenewPresence();
}

absl::StatusOr<bool> EtcdLeases::OthersLive(const absl::flat_hash_set<LeaseId>& all) {
  for (const LeaseId id : all) {
    if (!Is(id, Kind::kPresence)) continue;
    ASSIGN_OR_RETURN(const LeaseTimeToLiveResponse presence, Look(id, /*keys=*/false));
    if (presence.ttl() >= kLivePresenceSecondsMin) return true;
  }
  return false;
}

absl::Status EtcdLeases::Revive(LeaseId lease, bool heartbeat_lives) {
  const LeaseId heartbeat = lease | static_cast<LeaseId>(Kind::kHeartbeat);
  if (heartbeat_lives) {
    const absl::Status renewed = RenewNative(heartbeat).status();
    if (!absl::IsNotFound(renewed)) return renewed;
  }
  ASSIGN_OR_RETURN(const LeaseTimeToLiveResponse there, Look(lease, /*keys=*/false));
  if (there.ttl() < 0) return absl::OkStatus();  // revoked meanwhile
  const absl::Status granted = GrantNative(heartbeat, there.grantedttl() - kEndlessSeconds);
  return absl::IsAlreadyExists(granted) ? absl::OkStatus() : granted;
}

absl::Status EtcdLeases::RenewPresence() {
  MutexLock lock(&mutex_);
  if (presence_ != 0) {
    const absl::Status renewed = RenewNative(presence_).status();
    if (!absl::IsNotFound(renewed)) return renewed;
  }
  presence_ = NewId(Kind::kPresence);
  return GrantNative(presence_, kPresenceSeconds);
}

absl::StatusOr<LeaseId> EtcdLeases::Grant(absl::Duration ttl) {
  const int64_t seconds = absl::ToInt64Seconds(absl::Ceil(ttl, absl::Seconds(1)));
  while (true) {
    const LeaseId id = NewId(Kind::kLease);
    const LeaseId heartbeat = id | static_cast<LeaseId>(Kind::kHeartbeat);
    // First, so that nobody sees the lease without it.
    absl::Status granted = GrantNative(heartbeat, seconds);
    if (granted.ok()) {
      granted = GrantNative(id, kEndlessSeconds + seconds);
      if (granted.ok()) return id;
      (void)RevokeNative(heartbeat, connection_.Deadline());
    }
    if (!absl::IsAlreadyExists(granted)) return granted;
  }
}

absl::StatusOr<absl::Duration> EtcdLeases::Renew(LeaseId id) {
  if (!Is(id, Kind::kLease)) return NoLease(id);
  ASSIGN_OR_RETURN(const int64_t seconds, RenewNative(id | static_cast<LeaseId>(Kind::kHeartbeat)));
  return absl::Seconds(seconds);
}

absl::StatusOr<std::vector<ExpiredLease>> EtcdLeases::Expired() {
  RETURN_IF_ERROR(RenewPresence());
  ASSIGN_OR_RETURN(const absl::flat_hash_set<LeaseId> all, List());
  std::vector<ExpiredLease> expired;
  for (const LeaseId id : all) {
    const LeaseId heartbeat = id | static_cast<LeaseId>(Kind::kHeartbeat);
    if (!Is(id, Kind::kLease) || all.contains(heartbeat)) continue;
    // The list is what one member knows; these answers are the leader's.
    ASSIGN_OR_RETURN(const LeaseTimeToLiveResponse pulse, Look(heartbeat, /*keys=*/false));
    if (pulse.ttl() >= 0) continue;
    ASSIGN_OR_RETURN(const LeaseTimeToLiveResponse lease, Look(id, /*keys=*/true));
    if (lease.ttl() < 0) continue;
    ExpiredLease& one = expired.emplace_back();
    one.id = id;
    for (const std::string& key : lease.keys()) {
      if (encoding_.IsData(key)) one.keys.push_back(encoding_.Strip(key));
    }
    std::sort(one.keys.begin(), one.keys.end());
  }
  return expired;
}

absl::Status EtcdLeases::Revoke(LeaseId id) {
  if (!Is(id, Kind::kLease)) return NoLease(id);
  RETURN_IF_ERROR(RevokeNative(id, connection_.Deadline()));
  // Without a lease it means nothing any more, and runs out by itself.
  (void)RevokeNative(id | static_cast<LeaseId>(Kind::kHeartbeat), connection_.Deadline());
  return absl::OkStatus();
}

absl::Status EtcdLeases::CheckLive(const Txn& txn) {
  absl::flat_hash_set<LeaseId> leases;
  for (const std::vector<Op>* ops : {&txn.then, &txn.otherwise}) {
    for (const Op& op : *ops) {
      const auto* put = std::get_if<Put>(&op);
      if (put != nullptr && put->lease != 0) leases.insert(put->lease);
    }
  }
  for (const LeaseId id : leases) {
    if (!Is(id, Kind::kLease)) return NoLease(id);
    ASSIGN_OR_RETURN(const LeaseTimeToLiveResponse pulse,
                     Look(id | static_cast<LeaseId>(Kind::kHeartbeat), /*keys=*/false));
    if (pulse.ttl() < 0) return NoLease(id);
  }
  return absl::OkStatus();
}

LeaseId EtcdLeases::NewId(Kind kind) const {
  std::random_device random;
  const LeaseId number = std::max(1U, random() & kRandomMask);
  return base_ | number << kRandomShift | static_cast<LeaseId>(kind);
}

bool EtcdLeases::Is(LeaseId id, Kind kind) const {
  return id > 0 && id >> kHashShift == base_ >> kHashShift &&
         (id & kKindMask) == static_cast<LeaseId>(kind);
}

absl::StatusOr<absl::flat_hash_set<LeaseId>> EtcdLeases::List() {
  const etcdserverpb::LeaseLeasesRequest request;
  etcdserverpb::LeaseLeasesResponse response;
  RETURN_IF_ERROR(connection_.Repeat(
      EtcdCall(&EtcdMember::lease, &Stub::LeaseLeases, request, response), connection_.Deadline()));
  absl::flat_hash_set<LeaseId> ids;
  for (const etcdserverpb::LeaseStatus& lease : response.leases()) {
    if (lease.id() >> kHashShift == base_ >> kHashShift) ids.insert(lease.id());
  }
  return ids;
}

absl::Status EtcdLeases::GrantNative(LeaseId id, int64_t ttl_seconds) {
  etcdserverpb::LeaseGrantRequest request;
  request.set_id(id);
  request.set_ttl(ttl_seconds);
  etcdserverpb::LeaseGrantResponse response;
  const EtcdRpc rpc = EtcdCall(&EtcdMember::lease, &Stub::LeaseGrant, request, response);
  const EtcdDeadline deadline = connection_.Deadline();
  bool may_exist = false;
  for (int attempts = 0;; ++attempts) {
    const EtcdVerdict verdict = connection_.Try(rpc, deadline);
    // By an attempt whose answer was lost.
    if (may_exist && absl::IsAlreadyExists(verdict.status)) return absl::OkStatus();
    may_exist |= verdict.fate == EtcdFate::kUnknown;
    const bool again = verdict.fate == EtcdFate::kUnknown || verdict.fate == EtcdFate::kNotDone;
    if (!again || !connection_.WaitBeforeRetry(attempts, deadline)) return verdict.status;
  }
}

absl::StatusOr<int64_t> EtcdLeases::RenewNative(LeaseId id) {
  etcdserverpb::LeaseKeepAliveRequest request;
  request.set_id(id);
  etcdserverpb::LeaseKeepAliveResponse response;
  RETURN_IF_ERROR(connection_.Repeat(
      [&request, &response](const EtcdMember& member, grpc::ClientContext& context,
                            etcdserverpb::ResponseHeader& header) {
        const auto stream = member.lease->LeaseKeepAlive(&context);
        if (stream->Write(request) && stream->Read(&response)) {
          header = response.header();
          context.TryCancel();  // one answer is all that is wanted
          (void)stream->Finish();
          return grpc::Status::OK;
        }
        const grpc::Status status = stream->Finish();
        return status.ok() ? grpc::Status(grpc::StatusCode::UNAVAILABLE, "no answer") : status;
      },
      connection_.Deadline()));
  if (response.ttl() <= 0) return NoLease(id);
  return response.ttl();
}

absl::StatusOr<LeaseTimeToLiveResponse> EtcdLeases::Look(LeaseId id, bool keys) {
  etcdserverpb::LeaseTimeToLiveRequest request;
  request.set_id(id);
  request.set_keys(keys);
  LeaseTimeToLiveResponse response;
  const absl::Status status =
      connection_.Repeat(EtcdCall(&EtcdMember::lease, &Stub::LeaseTimeToLive, request, response),
                         connection_.Deadline());
  // Followers say it as an error, leaders in the answer.
  if (absl::IsNotFound(status)) {
    response.set_ttl(-1);
    return response;
  }
  RETURN_IF_ERROR(status);
  return response;
}

absl::Status EtcdLeases::RevokeNative(LeaseId id, EtcdDeadline deadline) {
  etcdserverpb::LeaseRevokeRequest request;
  request.set_id(id);
  etcdserverpb::LeaseRevokeResponse response;
  const EtcdRpc rpc = EtcdCall(&EtcdMember::lease, &Stub::LeaseRevoke, request, response);
  bool may_be_gone = false;
  for (int attempts = 0;; ++attempts) {
    const EtcdVerdict verdict = connection_.Try(rpc, deadline);
    if (absl::IsNotFound(verdict.status)) return may_be_gone ? absl::OkStatus() : NoLease(id);
    may_be_gone |= verdict.fate == EtcdFate::kUnknown;
    const bool again = verdict.fate == EtcdFate::kUnknown || verdict.fate == EtcdFate::kNotDone;
    if (!again || !connection_.WaitBeforeRetry(attempts, deadline)) return verdict.status;
  }
}

}  // namespace pinion::store
