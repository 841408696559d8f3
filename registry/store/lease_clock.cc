#include "registry/store/lease_clock.h"

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"

namespace pinion::store {
namespace {

absl::Status Unknown(LeaseId id) {
  return absl::NotFoundError(absl::StrCat("lease ", id, " does not exist"));
}

}  // namespace

void LeaseClock::Add(LeaseId id, absl::Duration ttl) {
  leases_[id] = Lease{ttl, clock_.Monotonic() + ttl};
}

absl::StatusOr<LeaseClock::Lease> LeaseClock::Remove(LeaseId id) {
  const auto it = leases_.find(id);
  if (it == leases_.end()) return Unknown(id);
  const Lease lease = it->second;
  leases_.erase(it);
  return lease;
}

absl::StatusOr<absl::Duration> LeaseClock::Renew(LeaseId id) {
  RETURN_IF_ERROR(CheckLive(id));
  Lease& lease = leases_.at(id);
  lease.deadline = clock_.Monotonic() + lease.ttl;
  return lease.ttl;
}

absl::Status LeaseClock::CheckLive(LeaseId id) const {
  auto it = leases_.find(id);
  if (it == leases_.end()) return Unknown(id);
  if (it->second.deadline <= clock_.Monotonic()) {
    return absl::NotFoundError(absl::StrCat("lease ", id, " has run out"));
  }
  return absl::OkStatus();
}

std::vector<LeaseId> LeaseClock::Expired() const {
  const absl::Time now = clock_.Monotonic();
  std::vector<LeaseId> expired;
  for (const auto& [id, lease] : leases_) {
    if (lease.deadline <= now) expired.push_back(id);
  }
  return expired;
}

}  // namespace pinion::store
