#include "gateway/http2/header_field.h"

#include <array>
#include <cstring>

#include "base/check.h"
#include "gateway/http2/hpack_static_table.h"

namespace pinion::http2 {
namespace {

constexpr size_t IndexOf(HeaderName name) { return static_cast<size_t>(name); }

constexpr size_t kNames = IndexOf(HeaderName::kOther);
using Texts = std::array<absl::string_view, kNames>;

constexpr Texts MakeTexts() {
  Texts texts;
  for (size_t i = 0; i < kStaticHeaders.size(); ++i) texts[i + 1] = kStaticHeaders[i].name;
  texts[IndexOf(HeaderName::kConnection)] = "connection";
  texts[IndexOf(HeaderName::kKeepAlive)] = "keep-alive";
  texts[IndexOf(HeaderName::kProxyConnection)] = "proxy-connection";
  texts[IndexOf(HeaderName::kUpgrade)] = "upgrade";
  texts[IndexOf(HeaderName::kTe)] = "te";
  texts[IndexOf(HeaderName::kGrpcTimeout)] = "grpc-timeout";
  texts[IndexOf(HeaderName::kGrpcEncoding)] = "grpc-encoding";
  texts[IndexOf(HeaderName::kGrpcAcceptEncoding)] = "grpc-accept-encoding";
  texts[IndexOf(HeaderName::kGrpcStatus)] = "grpc-status";
  texts[IndexOf(HeaderName::kGrpcMessage)] = "grpc-message";
  texts[IndexOf(HeaderName::kGrpcStatusDetails)] = "grpc-status-details-bin";
  texts[IndexOf(HeaderName::kGrpcPreviousAttempts)] = "grpc-previous-rpc-attempts";
  texts[IndexOf(HeaderName::kGrpcRetryPushback)] = "grpc-retry-pushback-ms";
  texts[IndexOf(HeaderName::kTraceparent)] = "traceparent";
  texts[IndexOf(HeaderName::kTracestate)] = "tracestate";
  texts[IndexOf(HeaderName::kApiVersion)] = "api-version";
  return texts;
}

constexpr Texts kTexts = MakeTexts();

uint64_t Load(const char* from, size_t bytes) {
  uint64_t value = 0;
  std::memcpy(&value, from, bytes);
  return value;
}

// Both ends and the middle of a text.
uint64_t Sample(absl::string_view text) {
  const char* const at = text.data();
  const size_t size = text.size();
  if (size >= 8) {
    return Load(at, 8) ^ (Load(at + size - 8, 8) * 0x9e3779b97f4a7c15) ^
           (Load(at + (size - 8) / 2, 8) * 0xc2b2ae3d27d4eb4f);
  }
  if (size >= 4) return Load(at, 4) | Load(at + size - 4, 4) << 32;
  if (size == 0) return 0;
  return Load(at, 1) | Load(at + size / 2, 1) << 8 | Load(at + size - 1, 1) << 16;
}

uint64_t HashOfText(absl::string_view name) {
  const uint64_t hash = (Sample(name) ^ name.size()) * 0xff51afd7ed558ccd;
  return hash ^ (hash >> 32);
}

// The names by their hashes.
class NameIndex {
 public:
  NameIndex() {
    for (size_t i = 1; i < kNames; ++i) {
      if (Find(kTexts[i]) != HeaderName::kOther) continue;  // the first of its name
      size_t slot = HashOfText(kTexts[i]) % kSlots;
      while (slots_[slot] != HeaderName::kUnread) slot = (slot + 1) % kSlots;
      slots_[slot] = HeaderName(i);
    }
  }

  HeaderName Find(absl::string_view name) const {
    for (size_t slot = HashOfText(name) % kSlots;; slot = (slot + 1) % kSlots) {
      if (slots_[slot] == HeaderName::kUnread) return HeaderName::kOther;
      if (kTexts[IndexOf(slots_[slot])] == name) return slots_[slot];
    }
  }

 private:
  static constexpr size_t kSlots = 256;

  std::array<HeaderName, kSlots> slots_{};
};

}  // namespace

HeaderName FindHeaderName(absl::string_view name) {
  static const NameIndex index;
  return index.Find(name);
}

absl::string_view TextOf(HeaderName name) {
  DCHECK(name != HeaderName::kUnread && name != HeaderName::kOther);
  return kTexts[IndexOf(name)];
}

uint32_t HashOf(const HeaderField& field) {
  const HeaderName name = field.Name();
  const uint64_t of_name = name == HeaderName::kOther ? HashOfText(field.name) : IndexOf(name);
  const uint64_t of_both = of_name * 0xff51afd7ed558ccd ^ Sample(field.value) ^ field.value.size();
  return static_cast<uint32_t>((of_both * 0x9fb21c651e98df25) >> 32) | 1;
}

size_t ListBytes(absl::Span<const HeaderField> fields) {
  size_t bytes = 0;
  for (const HeaderField& field : fields) bytes += field.list_bytes();
  return bytes;
}

}  // namespace pinion::http2
