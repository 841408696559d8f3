// A Record as one line: JSON, or text as `key=value` pairs with the same keys. The fields and what
// they mean: docs/observability.md. Allocates nothing. One thread.
//
// Callers choose some of the bytes. In both forms a line is printable ASCII and ends with the only
// newline. In text a value that holds more than plain words is quoted. Within quotes a quote or a
// backslash has a backslash before it, and any other byte is escaped (JSON: \u00NN; text: \xNN),
// and each value is cut at its bound, shown by "...".
#pragma once

#include <cstddef>
#include <cstdint>

#include "absl/time/time.h"
#include "gateway/access_log/record.h"

namespace pinion::access_log {

enum class Format : uint8_t { kJson, kText };

class Formatter {
 public:
  explicit Formatter(Format format) : format_(format) {}

  // Writes the line to `out`, which has room for limits::kLogLineBytesMax, and returns its bytes.
  size_t Write(const Record& record, char* out);

 private:
  // "2026-11-25T04:35:42": most calls of a second begin in the same one.
  static constexpr size_t kSecondBytes = 19;
  void CacheSecond(int64_t unix_seconds);

  const Format format_;
  int64_t cached_second_ = INT64_MIN;
  char second_text_[kSecondBytes];
};

}  // namespace pinion::access_log
