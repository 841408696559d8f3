// From the registry's records to what gateways route by. Pure, and the only place that knows both.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "pinion/routing/v1/routing.pb.h"

namespace pinion::model {

// The prefixes of the keys that gateways are told of, in the order of a snapshot: what one names
// comes before it.
const std::vector<std::string>& SnapshotPrefixes();

// Appends what the record under `key` (below kRoutingPrefix) is to a gateway. DataLoss names the
// key: what stands there is no such record; nothing was appended then.
absl::Status AppendResources(absl::string_view key, absl::string_view value,
                             std::vector<routing::v1::Resource>& resources);

// Appends how the change of one record from `before` to `after` (nullopt: it does not exist) looks
// to a gateway; nothing where it looks the same. DataLoss as above.
absl::Status AppendChanges(absl::string_view key, std::optional<absl::string_view> before,
                           std::optional<absl::string_view> after,
                           std::vector<routing::v1::Change>& changes);

}  // namespace pinion::model
