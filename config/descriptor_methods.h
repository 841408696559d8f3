// The gRPC services of a compiled schema, as routing needs them. Reads one file; otherwise pure.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "pinion/routing/v1/routing.pb.h"

namespace pinion::config {

// All services in the FileDescriptorSet at `path` with their methods, in the order of the set.
// InvalidArgument: not readable, not a descriptor set, without one of its imports, or without any
// service.
absl::StatusOr<std::vector<routing::v1::GrpcMethods>> ReadMethods(const std::string& path);

}  // namespace pinion::config
