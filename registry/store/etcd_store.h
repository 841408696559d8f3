// A store at an etcd, 3.4 or later: for fleets, several registries at once. What is at etcd stays
// there: nothing is kept here but which member answers.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "base/clock.h"
#include "registry/store/etcd_options.h"
#include "registry/store/store.h"

namespace pinion::store {

// Waits for an etcd that is away, as long as the options say. `clock` outlives the store.
// Unavailable: none answered; FailedPrecondition, InvalidArgument, Unauthenticated,
// PermissionDenied: a person has to mend what the message says.
//
// Its calls also return Unavailable: no member answered in time.
absl::StatusOr<std::unique_ptr<Store>> OpenEtcdStore(const EtcdOptions& options,
                                                     const Clock& clock);

}  // namespace pinion::store
