// Where the last few keys of a long range begin. etcd reads a whole range to give its end, values
// and all, which for an audit log of years is gigabytes; counting keys it does in its index. Pure.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "registry/store/store.h"

namespace pinion::store {

// The number of keys in a range.
using CountKeys = std::function<absl::StatusOr<int64_t>(const KeyRange& range)>;

// A part of `range`, up to its end, with at least `wanted` keys, and not many more than `enough`
// where keys begin like range.key, as those of a prefix do. `first` is the first key of the range,
// which has `wanted` keys or more. Asks `count` some times for each byte of a key. Any error is one
// of `count`.
absl::StatusOr<KeyRange> LastKeys(const KeyRange& range, const std::string& first, int64_t wanted,
                                  int64_t enough, const CountKeys& count);

}  // namespace pinion::store
