// The text of one YAML scalar as a value of the schema's type. Pure. Errors are InvalidArgument and
// say what was expected and what was found; the caller adds the place.
#pragma once

#include <limits>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "config/yaml_tree.h"
#include "google/protobuf/duration.pb.h"
#include "google/protobuf/timestamp.pb.h"

namespace pinion::config {

// A node as a message should call it: `"abc"`, `a list`, `a mapping`, `nothing`. Long scalars are
// cut.
std::string Found(const Node& node);

// These take scalars only, and reject any other kind of node.

// Any text without control characters but tab and newline.
absl::StatusOr<std::string> ParseString(const Node& node);
// `true` or `false`, not in quotes.
absl::StatusOr<bool> ParseBool(const Node& node);
absl::StatusOr<double> ParseDouble(const Node& node);
// Base64, standard or URL-safe, as in proto-JSON.
absl::StatusOr<std::string> ParseBytes(const Node& node);
// Seconds with up to nine decimals and an `s`, as in proto-JSON: `1.5s`.
absl::StatusOr<google::protobuf::Duration> ParseDuration(const Node& node);
// RFC 3339: `2026-11-23T10:00:00Z`.
absl::StatusOr<google::protobuf::Timestamp> ParseTimestamp(const Node& node);

absl::Status Unexpected(std::string_view expected, const Node& node);

// A decimal number; quotes are allowed, as proto-JSON writes 64-bit numbers in them.
template <typename Int>
absl::StatusOr<Int> ParseInt(const Node& node) {
  Int value = 0;
  const std::string& text = node.scalar;
  if (node.kind == Node::Kind::kScalar && !text.empty() &&
      text.find_first_not_of("-0123456789") == text.npos && absl::SimpleAtoi(text, &value)) {
    return value;
  }
  return Unexpected(absl::StrCat("a whole number from ", std::numeric_limits<Int>::min(), " to ",
                                 std::numeric_limits<Int>::max()),
                    node);
}

}  // namespace pinion::config
