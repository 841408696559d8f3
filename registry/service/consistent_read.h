// Reading much of the store at one revision while changes go on. The revision is held: a record
// with a lease says to the housekeepers of all registries on the store not to compact it.
// Lives on the stack of one request, on one thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "registry/service/registry.h"
#include "registry/store/store.h"

namespace pinion::service {

class ConsistentRead {
 public:
  // Holds the newest revision; of a store whose disk is full, nothing. `command`: the audit record
  // that says who reads; empty: none. `registry` and `caller` outlive it.
  static absl::StatusOr<std::unique_ptr<ConsistentRead>> Begin(Registry& registry,
                                                               const Caller& caller,
                                                               absl::string_view command);
  ~ConsistentRead();
  ConsistentRead(const ConsistentRead&) = delete;
  ConsistentRead& operator=(const ConsistentRead&) = delete;

  store::Revision revision() const { return revision_; }

  // Every pair in `range`, by key; ends at the first error. Holds the revision on. OutOfRange: it
  // took so long to take the pairs away that the revision was compacted.
  absl::Status ForEach(store::KeyRange range,
                       const std::function<absl::Status(const store::KeyValue&)>& visit);

 private:
  explicit ConsistentRead(Registry& registry);
  absl::Status HoldBy(const Caller& caller, absl::string_view command);
  absl::Status HoldOn();

  Registry& registry_;
  store::LeaseId lease_ = 0;  // 0: nothing is held
  absl::Time held_;
  store::Revision revision_ = 0;
};

// The oldest revision that somebody reads; nullopt: nobody does.
absl::StatusOr<std::optional<store::Revision>> OldestHeld(store::Store& store);

}  // namespace pinion::service
