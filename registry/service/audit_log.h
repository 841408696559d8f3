// The audit log as a whole: its heads, its records as they are stored, and its old end, which goes.
// Operations of operations.h; these two are used by backups and restores as well.
#pragma once

#include "absl/status/statusor.h"
#include "pinion/registry/v1/audit.pb.h"
#include "pinion/registry/v1/records.pb.h"
#include "registry/service/registry.h"
#include "registry/store/store.h"

namespace pinion::service {

// Which registry it is, and where it came from.
absl::StatusOr<registry::v1::RegistryIdentity> ReadIdentity(store::Store& store,
                                                            store::Revision revision);

// Where the whole log begins and ends at `revision`, without a time.
absl::StatusOr<registry::v1::AuditLogState> ReadAuditState(store::Store& store,
                                                           store::Revision revision);

}  // namespace pinion::service
