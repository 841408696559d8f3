// The registry without its wire: which store, which identity, and which audit id comes next. What
// it does are the functions of operations.h. Thread-safe; owned by RegistryServer, or by a test.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "registry/model/retirement.h"
#include "registry/model/usage.h"
#include "registry/service/audit_chains.h"
#include "registry/service/codec.h"
#include "registry/store/store.h"

namespace pinion::service {

class Draft;

// Who asks.
struct Caller {
  std::string actor;  // whom the audit log names
  // Of what this caller creates, where a request says none; empty: the actor.
  std::string owner = {};
  // What its credential proves, the actor first; empty: nobody asked for one.
  std::vector<std::string> subjects = {};
  // Whether the caller may do what it asks for, by what `draft` reads, so that it still may when
  // that is committed. PermissionDenied, Unauthenticated. Empty: it may.
  std::function<absl::Status(Draft& draft)> authorize = {};
};

// What whoever runs the registry may set.
struct RegistryOptions {
  // How long a version that something was moved away from stays; 0: not for that.
  absl::Duration rollback_window = model::kDefaultRollbackWindow;
  // A version that was called so lately is not retired; 0: however lately.
  absl::Duration usage_window = model::kUsageWindow;
};

class Registry {
 public:
  // Gives an empty store its registry id and format. Both outlive the registry. FailedPrecondition:
  // STORE_FORMAT_UNKNOWN, or a restore into the store was not finished; the message says what to
  // do.
  static absl::StatusOr<std::unique_ptr<Registry>> Open(store::Store& store, const Clock& clock,
                                                        const RegistryOptions& options = {});

  // Of a store whose restore is about to end: for the transaction that ends it, and nothing else.
  static absl::StatusOr<std::unique_ptr<Registry>> OfRestore(store::Store& store,
                                                             const Clock& clock);

  const std::string& id() const { return id_; }
  store::Store& store() { return store_; }
  const Clock& clock() const { return clock_; }
  absl::Time start_time() const { return start_time_; }
  const RegistryOptions& options() const { return options_; }

  // Twenty digits, each greater than all before, in this process and in the store, and than
  // `after`; close to the wall clock's microseconds.
  std::string NextAuditId(absl::string_view after);
  AuditChains& audit_chains() { return audit_chains_; }

  // Held by a change that has lost to others several times, so that the losers come one after
  // another.
  Mutex& turn() ABSL_LOCK_RETURNED(turn_) { return turn_; }

 private:
  Registry(store::Store& store, const Clock& clock, const RegistryOptions& options);
  absl::Status LoadIdentity();
  absl::Status LoadFormat();
  absl::Status LoadLastAuditId();

  store::Store& store_;
  const Clock& clock_;
  const absl::Time start_time_;
  const RegistryOptions options_;
  std::string id_;
  AuditChains audit_chains_;
  Mutex turn_;
  Mutex mutex_;
  int64_t last_audit_id_ ABSL_GUARDED_BY(mutex_) = 0;
};

// Random, never used again: 32 hexadecimal digits.
std::string NewId();

}  // namespace pinion::service
