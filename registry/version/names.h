// What services, channels and consumers may be called, and the bounds on names that both planes
// share. Pure.
#pragma once

#include <cstddef>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace pinion::version {

// A name is a part of keys, metric labels and refusals, ten of which must fit into 4 KiB together
// with the rest.
inline constexpr size_t kMaxServiceNameBytes = 128;
inline constexpr size_t kMaxChannelNameBytes = 64;
inline constexpr size_t kMaxConsumerNameBytes = 128;
inline constexpr size_t kMaxVersionNameBytes = 64;

// An expression comes in a header of each call at worst: long enough for a dozen alternatives,
// short enough to parse at once.
inline constexpr size_t kMaxPinBytes = 256;

// InvalidArgument says what is wrong and what to write instead.

// [a-z0-9-]+(/[a-z0-9-]+)*
absl::Status ValidateServiceName(absl::string_view name);
// [a-z0-9-]+, without @
absl::Status ValidateChannelName(absl::string_view name);
// [A-Za-z0-9._@:/-]+
absl::Status ValidateConsumerName(absl::string_view name);

}  // namespace pinion::version
