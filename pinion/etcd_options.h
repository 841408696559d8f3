// The etcd that a configuration names, as the store wants it.
#pragma once

#include "absl/status/statusor.h"
#include "pinion/config/v1/config.pb.h"
#include "registry/store/etcd_options.h"

namespace pinion {

// Reads the password's file. InvalidArgument: it cannot be read.
absl::StatusOr<store::EtcdOptions> EtcdOptionsOf(const config::v1::Store::Etcd& config);

}  // namespace pinion
