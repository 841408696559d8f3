#include "gateway/proxy/trace_context.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

namespace pinion::proxy {

using http2::HeaderName;

namespace {

constexpr size_t kTraceIdAt = 3;
constexpr size_t kParentIdAt = kTraceIdAt + kTraceIdBytes + 1;
constexpr size_t kParentIdBytes = 16;
constexpr size_t kFlagsAt = kParentIdAt + kParentIdBytes + 1;

// Lower case only, as the specification wants it.
bool IsHex(absl::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

bool IsZero(absl::string_view text) { return text.find_first_not_of('0') == text.npos; }

// Eight digits at once, each in its byte: made for every call that brings no traceparent.
uint64_t HexDigits(uint32_t value) {
  uint64_t nibbles = value;
  nibbles = (nibbles << 16 | nibbles) & 0x0000ffff0000ffff;
  nibbles = (nibbles << 8 | nibbles) & 0x00ff00ff00ff00ff;
  nibbles = (nibbles << 4 | nibbles) & 0x0f0f0f0f0f0f0f0f;
  // 1 in each byte above 9, which gets the distance between '9' + 1 and 'a'.
  const uint64_t letters = (nibbles + 0x0606060606060606) >> 4 & 0x0101010101010101;
  return nibbles + 0x3030303030303030 + letters * ('a' - '9' - 1);
}

// Which of them comes first does not matter: they are random.
char* WriteHex(uint64_t value, char* out) {
  for (const uint64_t digits :
       {HexDigits(static_cast<uint32_t>(value)), HexDigits(static_cast<uint32_t>(value >> 32))}) {
    std::memcpy(out, &digits, sizeof(digits));
    out += sizeof(digits);
  }
  return out;
}

// All zero is no id.
uint64_t NotZero(Random& random) {
  const uint64_t value = random.Next();
  return value != 0 ? value : 1;
}

}  // namespace

absl::string_view TraceIdOf(absl::string_view traceparent) {
  if (traceparent.size() < kTraceparentBytes) return {};
  const absl::string_view version = traceparent.substr(0, 2);
  const absl::string_view trace_id = traceparent.substr(kTraceIdAt, kTraceIdBytes);
  const absl::string_view parent_id = traceparent.substr(kParentIdAt, kParentIdBytes);
  const bool dashes = traceparent[kTraceIdAt - 1] == '-' && traceparent[kParentIdAt - 1] == '-' &&
                      traceparent[kFlagsAt - 1] == '-';
  if (!dashes || !IsHex(version) || version == "ff") return {};
  if (!IsHex(trace_id) || !IsHex(parent_id) || !IsHex(traceparent.substr(kFlagsAt, 2))) return {};
  if (IsZero(trace_id) || IsZero(parent_id)) return {};
  const bool longer = traceparent.size() > kTraceparentBytes;
  if (longer && (version == "00" || traceparent[kTraceparentBytes] != '-')) return {};
  return trace_id;
}

void TraceContext::Begin(absl::string_view traceparent, bool repeated, Random& random) {
  trace_id_ = repeated ? absl::string_view() : TraceIdOf(traceparent);
  made_ = trace_id_.empty();
  if (!made_) return;
  std::memcpy(own_.data(), "00-", 3);
  char* at = WriteHex(NotZero(random), own_.data() + kTraceIdAt);
  at = WriteHex(NotZero(random), at);
  *at++ = '-';
  at = WriteHex(NotZero(random), at);
  std::memcpy(at, "-02", 3);
  trace_id_ = absl::string_view(own_.data() + kTraceIdAt, kTraceIdBytes);
}

void TraceContext::AddTo(std::vector<http2::HeaderField>& fields) const {
  if (!made_) return;
  // Almost always there is none to take out.
  const auto ours = [](const http2::HeaderField& field) {
    const HeaderName name = field.Name();
    return name == HeaderName::kTraceparent || name == HeaderName::kTracestate;
  };
  fields.erase(std::remove_if(fields.begin(), fields.end(), ours), fields.end());
  fields.push_back(
      MakeField(HeaderName::kTraceparent, absl::string_view(own_.data(), own_.size())));
}

}  // namespace pinion::proxy
