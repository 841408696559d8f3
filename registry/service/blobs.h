// Descriptor sets in the store: in parts, under their hash, so that one that several versions have
// is there once.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "pinion/registry/v1/records.pb.h"
#include "registry/service/draft.h"
#include "registry/store/store.h"

namespace pinion::service {

// Nobody sees the parts before a version names them, so they are no change to audit.
absl::Status WriteBlob(store::Store& store, const std::string& sha256, absl::string_view bytes);

// The descriptor set of a version; empty: it was published without one. DataLoss: a part is
// missing.
absl::StatusOr<std::string> ReadBlob(Draft& draft, const registry::v1::VersionRecord& record);

}  // namespace pinion::service
