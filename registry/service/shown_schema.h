// Whether the schema that an instance shows has that of its version.
#pragma once

#include "absl/status/statusor.h"
#include "google/protobuf/descriptor.pb.h"
#include "pinion/registry/v1/records.pb.h"
#include "registry/service/instance_findings.h"
#include "registry/service/registry.h"

namespace pinion::service {

// READY, DRIFTED or UNPROVEN. `shown`: as of probe::Answer. An error: the published schema cannot
// be read.
absl::StatusOr<Finding> JudgeShown(
    Registry& registry, const registry::v1::VersionRecord& version,
    const absl::StatusOr<google::protobuf::FileDescriptorSet>& shown);

}  // namespace pinion::service
