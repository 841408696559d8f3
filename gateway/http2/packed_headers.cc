#include "gateway/http2/packed_headers.h"

#include <cstring>

namespace pinion::http2 {
namespace {

// Sizes are rounded up to this, so that the next call's headers commonly fit.
constexpr size_t kStepBytes = 64;
constexpr size_t kKeptBytesMax = 2048;

// Before the name, unless that is known by its number, and the value.
struct Prefix {
  uint32_t name_bytes;
  uint32_t value_bytes;
  uint32_t hash;
  HeaderName name_id;
  bool never_index;
  bool well_formed;
};

size_t NameBytes(const HeaderField& field) {
  return field.name_id == HeaderName::kOther ? field.name.size() : 0;
}

// Copies the text to `at`, which moves behind it, and makes it a view of the copy.
void TakeText(absl::string_view& text, char*& at) {
  if (text.empty()) return;
  std::memcpy(at, text.data(), text.size());
  text = {at, text.size()};
  at += text.size();
}

}  // namespace

void PackedHeaders::Take(HeaderBlock& block) {
  size_t bytes = 0;
  for (const HeaderField& field : block.fields()) {
    bytes += sizeof(Prefix) + NameBytes(field) + field.value.size();
  }
  if (bytes > capacity_) {
    capacity_ = static_cast<uint32_t>((bytes + kStepBytes - 1) / kStepBytes * kStepBytes);
    memory_ = std::make_unique_for_overwrite<char[]>(capacity_);
  }
  bytes_ = static_cast<uint32_t>(bytes);
  char* at = memory_.get();
  for (HeaderField& field : block.mutable_fields()) {
    const Prefix prefix = {.name_bytes = static_cast<uint32_t>(NameBytes(field)),
                           .value_bytes = static_cast<uint32_t>(field.value.size()),
                           .hash = field.hash,
                           .name_id = field.name_id,
                           .never_index = field.never_index,
                           .well_formed = field.well_formed};
    std::memcpy(at, &prefix, sizeof(prefix));
    at += sizeof(prefix);
    if (prefix.name_bytes > 0) TakeText(field.name, at);
    TakeText(field.value, at);
  }
}

void PackedHeaders::AddTo(std::vector<HeaderField>& fields) const {
  const char* const end = memory_.get() + bytes_;
  for (const char* at = memory_.get(); at != end;) {
    Prefix prefix;
    std::memcpy(&prefix, at, sizeof(prefix));
    at += sizeof(prefix);
    const bool named = prefix.name_id != HeaderName::kOther;
    HeaderField& field = fields.emplace_back();
    field.name = named ? TextOf(prefix.name_id) : absl::string_view(at, prefix.name_bytes);
    field.value = {at + prefix.name_bytes, prefix.value_bytes};
    field.never_index = prefix.never_index;
    field.well_formed = prefix.well_formed;
    field.name_id = prefix.name_id;
    field.hash = prefix.hash;
    at += prefix.name_bytes + prefix.value_bytes;
  }
}

void PackedHeaders::Clear() {
  bytes_ = 0;
  if (capacity_ <= kKeptBytesMax) return;
  memory_.reset();
  capacity_ = 0;
}

}  // namespace pinion::http2
