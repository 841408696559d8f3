#include "config/scalar.h"

#include <google/protobuf/util/time_util.h>

#include <cmath>
#include <cstdint>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"
#include "base/proto_duration.h"

namespace pinion::config {
namespace {

// More of a wrong value than this does not help to recognise it.
constexpr size_t kMaxQuotedBytes = 60;
// Whatever is longer was not meant, and nanoseconds fit into 64 bits.
constexpr absl::Duration kMaxSuggestedDuration = absl::Hours(24 * 365 * 100);

bool IsScalar(const Node& node) { return node.kind == Node::Kind::kScalar; }

// `1.5s` for a duration in Go's words (`1500ms`, `1h`), or empty.
std::string InProtoJson(const std::string& text) {
  absl::Duration duration;
  if (!absl::ParseDuration(text, &duration) || duration > kMaxSuggestedDuration ||
      duration < -kMaxSuggestedDuration) {
    return "";
  }
  return google::protobuf::util::TimeUtil::ToString(ToProto(duration));
}

std::optional<google::protobuf::Duration> FromProtoJson(absl::string_view text) {
  const bool negative = absl::ConsumePrefix(&text, "-");
  if (!absl::ConsumeSuffix(&text, "s")) return std::nullopt;
  const size_t dot = text.find('.');
  const absl::string_view whole = text.substr(0, dot);
  std::string part(dot == text.npos ? "0" : text.substr(dot + 1));
  const auto all_digits = [](absl::string_view s) {
    return !s.empty() && s.find_first_not_of("0123456789") == s.npos;
  };
  if (!all_digits(whole) || !all_digits(part) || part.size() > 9) return std::nullopt;
  part.resize(9, '0');
  int64_t seconds = 0;
  int32_t nanos = 0;
  if (!absl::SimpleAtoi(whole, &seconds) || !absl::SimpleAtoi(part, &nanos)) return std::nullopt;
  google::protobuf::Duration duration;
  duration.set_seconds(negative ? -seconds : seconds);
  duration.set_nanos(negative ? -nanos : nanos);
  if (!IsDuration(duration)) return std::nullopt;
  return duration;
}

}  // namespace

std::string Found(const Node& node) {
  switch (node.kind) {
    case Node::Kind::kNull:
      return "nothing";
    case Node::Kind::kSequence:
      return "a list";
    case Node::Kind::kMapping:
      return "a mapping";
    case Node::Kind::kScalar:
      break;
  }
  const bool cut = node.scalar.size() > kMaxQuotedBytes;
  return absl::StrCat("\"", absl::Utf8SafeCHexEscape(node.scalar.substr(0, kMaxQuotedBytes)),
                      cut ? "…\"" : "\"");
}

absl::Status Unexpected(std::string_view expected, const Node& node) {
  return absl::InvalidArgumentError(absl::StrCat(
      "expected ", absl::string_view(expected.data(), expected.size()), ", found ", Found(node)));
}

absl::StatusOr<std::string> ParseString(const Node& node) {
  if (!IsScalar(node)) return Unexpected("text", node);
  for (const unsigned char c : node.scalar) {
    if ((c < 0x20 && c != '\t' && c != '\n') || c == 0x7F) {
      return Unexpected("text without control characters", node);
    }
  }
  return node.scalar;
}

absl::StatusOr<bool> ParseBool(const Node& node) {
  if (IsScalar(node) && !node.quoted) {
    if (node.scalar == "true") return true;
    if (node.scalar == "false") return false;
  }
  return Unexpected("true or false", node);
}

absl::StatusOr<double> ParseDouble(const Node& node) {
  double value = 0;
  if (IsScalar(node) && absl::SimpleAtod(node.scalar, &value) && std::isfinite(value)) return value;
  return Unexpected("a number", node);
}

absl::StatusOr<std::string> ParseBytes(const Node& node) {
  std::string bytes;
  if (IsScalar(node) && (absl::Base64Unescape(node.scalar, &bytes) ||
                         absl::WebSafeBase64Unescape(node.scalar, &bytes))) {
    return bytes;
  }
  return Unexpected("base64", node);
}

absl::StatusOr<google::protobuf::Duration> ParseDuration(const Node& node) {
  if (IsScalar(node)) {
    if (const auto duration = FromProtoJson(node.scalar); duration.has_value()) return *duration;
    if (const std::string meant = InProtoJson(node.scalar); !meant.empty()) {
      return Unexpected(absl::StrCat("a duration in seconds (did you mean \"", meant, "\"?)"),
                        node);
    }
  }
  return Unexpected("a duration in seconds such as 1.5s", node);
}

absl::StatusOr<google::protobuf::Timestamp> ParseTimestamp(const Node& node) {
  google::protobuf::Timestamp timestamp;
  if (IsScalar(node) && google::protobuf::util::TimeUtil::FromString(node.scalar, &timestamp)) {
    return timestamp;
  }
  return Unexpected("a time such as 2026-11-23T10:00:00Z", node);
}

}  // namespace pinion::config
