#include "registry/store/store.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"

namespace pinion::store {

absl::StatusOr<Pairs> Store::ReadKeys(const std::vector<std::string>& keys, Revision revision) {
  Pairs pairs{.revision = revision};
  if (revision == 0) {
    ASSIGN_OR_RETURN(pairs.revision, Newest());
  }
  for (const std::string& key : keys) {
    ASSIGN_OR_RETURN(RangeResult found,
                     Range({.range = KeyRange::Single(key), .revision = pairs.revision}));
    std::optional<KeyValue>& kv = pairs.kvs.emplace_back();
    if (!found.kvs.empty()) kv = std::move(found.kvs[0]);
  }
  return pairs;
}

absl::Status ValidateLeaseTtl(absl::Duration ttl) {
  if (ttl >= kMinLeaseTtl && ttl <= kMaxLeaseTtl) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      "a lease of ", absl::FormatDuration(ttl), "; it must be between ",
      absl::FormatDuration(kMinLeaseTtl), " and ", absl::FormatDuration(kMaxLeaseTtl)));
}

}  // namespace pinion::store
