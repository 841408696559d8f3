// static_resources as what a gateway routes by.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "pinion/config/v1/config.pb.h"
#include "pinion/routing/v1/routing.pb.h"

namespace pinion::config {

// Services, versions (ACTIVE at once; DEPRECATED where the file says so), channels (`stable` is the
// first version in the file unless the file sets it), instances, consumers and pins, in this order
// and each in the order of the file; no resolutions: the route table makes them. An instance's uid
// follows from its service, version and address alone, so it stays the same over restarts, and one
// address under two versions has two. Reads the descriptor sets again; InvalidArgument when one has
// become unreadable. REQUIRES: a configuration that LoadFile or LoadText returned.
absl::StatusOr<std::vector<routing::v1::Resource>> StaticRouting(const v1::Bootstrap& bootstrap);

// Version.schema_digest → the FileDescriptorSet that it stands for, of the versions that have one.
// InvalidArgument as above.
absl::StatusOr<std::map<std::string, std::string>> StaticSchemas(const v1::Bootstrap& bootstrap);

}  // namespace pinion::config
