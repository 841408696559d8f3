// The grants and tokens of the store, kept in memory and known to be the newest: each change of one
// also writes one key, whose revision says whether what is in memory still holds. Thread-safe.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "base/mutex.h"
#include "pinion/registry/v1/access.pb.h"
#include "registry/access/rights.h"
#include "registry/service/draft.h"

namespace pinion::service {

namespace v1 = registry::v1;

class AccessBook {
 public:
  struct Snapshot {
    store::Revision revision = 0;  // of that key; 0: nothing was ever granted
    access::GrantsBySubject grants;
    absl::flat_hash_map<std::string, v1::Token> tokens;  // by SHA-256
  };

  // As it stands for `draft`, whose commit holds only if no grant or token has changed.
  absl::StatusOr<std::shared_ptr<const Snapshot>> At(Draft& draft);

 private:
  Mutex mutex_;
  std::shared_ptr<const Snapshot> newest_ ABSL_GUARDED_BY(mutex_);  // null: none was read yet
};

// To be called by what changes a grant or a token.
absl::Status TurnAccessPage(Draft& draft);

}  // namespace pinion::service
