// Descriptor sets in the store: in parts, under their hash, so that one that several versions have
// is there once.
//
// A mark says of one since when no version may have it. It is put with each part that is written
// and with the end of a version, and goes with the next version that has the set. What is marked
// for a day, and no version has, is deleted: all parts in one transaction, which holds only if the
// mark is still the same; and a version comes only if the first part is still the one that it
// found.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "pinion/registry/v1/records.pb.h"
#include "registry/service/draft.h"
#include "registry/service/registry.h"

namespace pinion::service {

// Writes what is not there yet, at once: nobody sees it before a version names it, so it is no
// change to audit. `draft`, which makes that version, holds only if it is there then.
absl::Status WriteBlob(Draft& draft, const std::string& sha256, absl::string_view bytes);

// The descriptor set of a version; empty: it was published without one. DataLoss: a part is
// missing.
absl::StatusOr<std::string> ReadBlob(Draft& draft, const registry::v1::VersionRecord& record);

// `draft` deletes the version that has it. Nothing, if it has none.
void LeaveBlob(Draft& draft, const registry::v1::VersionRecord& record);

// Deletes those that no version has had for a day, a few at once.
absl::Status DeleteUnusedBlobs(Registry& registry);

}  // namespace pinion::service
