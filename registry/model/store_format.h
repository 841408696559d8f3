// What the records of a store look like, as a number, and which programs can work with them:
// docs/internals/migrations.md. Pure.
#pragma once

#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "pinion/registry/v1/backup.pb.h"

namespace pinion::model {

// 1  before there was a number: stores without a StoreFormat
// 2  audit records are chained. Programs of format 1 can work with such a store; what they write is
//    in no chain.
inline constexpr int32_t kChainedAuditFormat = 2;
// What this program writes into new stores, and migrates others to. It works with the format before
// as that has it.
inline constexpr int32_t kStoreFormat = 2;

registry::v1::StoreFormat FormatOfNewStores();
// Of stores that do not say it.
registry::v1::StoreFormat FormatWithoutRecord();

// FailedPrecondition: STORE_FORMAT_UNKNOWN, only newer programs can work with such a store.
absl::Status CheckReadable(const registry::v1::StoreFormat& format);

// `format` after a migration, which may be what it was. FailedPrecondition: STORE_FORMAT_UNKNOWN.
absl::StatusOr<registry::v1::StoreFormat> Migrated(
    const registry::v1::StoreFormat& format, const registry::v1::MigrateStoreRequest& request);

}  // namespace pinion::model
