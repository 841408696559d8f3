#include "registry/service/claim.h"

#include <utility>

#include "base/status_macros.h"

namespace pinion::service {

Claim::Claim(Registry& registry, std::string key)
    : registry_(registry), key_(std::move(key)), holder_(NewId()) {}

Claim::~Claim() {
  // The key goes with it. A store that is away lets it run out.
  if (lease_ != 0) (void)registry_.store().RevokeLease(lease_);
}

absl::StatusOr<bool> Claim::Hold() {
  if (lease_ == 0) return Take();
  const absl::Time now = registry_.clock().Monotonic();
  if (now - renewed_ < kTtl / 4) return true;
  const absl::StatusOr<absl::Duration> renewed = registry_.store().RenewLease(lease_);
  if (absl::IsNotFound(renewed.status())) {
    lease_ = 0;
    return Take();
  }
  // Whether it is still ours nobody can say.
  RETURN_IF_ERROR(renewed.status());
  renewed_ = now;
  return true;
}

absl::StatusOr<bool> Claim::Take() {
  store::Store& store = registry_.store();
  ASSIGN_OR_RETURN(const store::RangeResult held,
                   store.Range({.range = store::KeyRange::Single(key_), .count_only = true}));
  if (held.count > 0) return false;
  const absl::Time now = registry_.clock().Monotonic();
  ASSIGN_OR_RETURN(const store::LeaseId lease, store.GrantLease(kTtl));
  const absl::StatusOr<store::TxnResult> taken =
      store.Commit({.compares = {store::Compare::Absent(key_)},
                    .then = {store::Put{.key = key_, .value = holder_, .lease = lease}}});
  if (!taken.ok() || !taken->succeeded) {
    (void)store.RevokeLease(lease);
    RETURN_IF_ERROR(taken.status());
    return false;
  }
  lease_ = lease;
  renewed_ = now;
  return true;
}

}  // namespace pinion::service
