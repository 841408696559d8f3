// A task that one of several registries on one store does: whoever holds the key of its name, which
// goes with its lease when the holder is gone. Not thread-safe.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "registry/service/registry.h"

namespace pinion::service {

class Claim {
 public:
  // How long after the end of a holder that could not give it back another one takes it.
  static constexpr absl::Duration kTtl = absl::Seconds(10);

  // `key`: of the store. The registry outlives it.
  Claim(Registry& registry, std::string key);
  // Gives it back.
  ~Claim();
  Claim(const Claim&) = delete;
  Claim& operator=(const Claim&) = delete;

  // Takes it, or keeps it; to be called again within a third of kTtl. False: another one holds it.
  absl::StatusOr<bool> Hold();

 private:
  absl::StatusOr<bool> Take();

  Registry& registry_;
  const std::string key_;
  const std::string holder_;
  store::LeaseId lease_ = 0;  // 0: not ours
  absl::Time renewed_;        // monotonic
};

}  // namespace pinion::service
