#include "registry/store/etcd_last.h"

#include <utility>

#include "absl/strings/match.h"
#include "base/status_macros.h"

namespace pinion::store {
namespace {

// Keys that say no more after so many bytes are taken as they are.
constexpr size_t kMaxSettled = 1024;

}  // namespace

// The beginning grows byte by byte, each the greatest that leaves enough keys.
absl::StatusOr<KeyRange> LastKeys(const KeyRange& range, const std::string& first, int64_t wanted,
                                  int64_t enough, const CountKeys& count) {
  KeyRange last = range;
  std::string settled = range.key;
  bool like_first = absl::StartsWith(first, settled);
  while (settled.size() < kMaxSettled) {
    // Of the byte of the first key it is known: all keys come from there on. Mostly, what they have
    // in common, none comes beyond it, and to ask that costs little.
    const int hint = like_first && settled.size() < first.size()
                         ? static_cast<unsigned char>(first[settled.size()])
                         : -1;
    int low = hint;  // leaves enough keys; -1: nothing does
    int high = 256;  // does not
    for (int probe = low + 1; low + 1 < high; probe = (low + high) / 2) {
      KeyRange part{settled + static_cast<char>(probe), range.end};
      int64_t keys = 0;
      if (part.key < part.end) {
        ASSIGN_OR_RETURN(keys, count(part));
      }
      if (keys < wanted) {
        high = probe;
        continue;
      }
      low = probe;
      last = std::move(part);
      if (keys <= enough) return last;
    }
    if (low < 0) return last;
    like_first = like_first && low == hint;
    settled += static_cast<char>(low);
  }
  return last;
}

}  // namespace pinion::store
