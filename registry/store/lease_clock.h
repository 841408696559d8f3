// Which leases there are and when each runs out, on the monotonic clock. A part of the embedded
// stores. Not thread-safe.
#pragma once

#include <map>
#include <vector>

#include "absl/status/statusor.h"
#include "base/clock.h"
#include "registry/store/store.h"

namespace pinion::store {

class LeaseClock {
 public:
  // `clock` outlives this.
  explicit LeaseClock(const Clock& clock) : clock_(clock) {}

  struct Lease {
    absl::Duration ttl;
    absl::Time deadline;
  };

  // Full TTL from now. Ids come from the store, which keeps them on disk.
  void Add(LeaseId id, absl::Duration ttl);
  // NotFound: unknown.
  absl::StatusOr<Lease> Remove(LeaseId id);
  // One that could not be ended after all: it runs out when it would have.
  void PutBack(LeaseId id, const Lease& lease) { leases_[id] = lease; }

  // NotFound: unknown or run out. A lease that has run out stays so.
  absl::StatusOr<absl::Duration> Renew(LeaseId id);

  // NotFound: unknown or run out.
  absl::Status CheckLive(LeaseId id) const;
  std::vector<LeaseId> Expired() const;

 private:
  const Clock& clock_;
  std::map<LeaseId, Lease> leases_;
};

}  // namespace pinion::store
