// The waivers file of `pinion schema check`: YAML, a list named `waivers`. Reads files, keeps none
// open.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "pinion/compat/v1/waiver.pb.h"

namespace pinion::config {

// InvalidArgument: one line `file:line:column: message` for each error.
absl::StatusOr<compat::v1::Waivers> LoadWaivers(const std::string& path);

// The same for a text; `filename` stands in messages.
absl::StatusOr<compat::v1::Waivers> ParseWaivers(std::string_view text,
                                                 const std::string& filename);

}  // namespace pinion::config
