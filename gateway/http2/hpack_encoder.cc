#include "gateway/http2/hpack_encoder.h"

#include <algorithm>
#include <optional>

#include "absl/strings/string_view.h"
#include "gateway/http2/hpack_static_table.h"
#include "gateway/http2/hpack_wire.h"

namespace pinion::http2 {
namespace {

// Two lengths, and the first byte.
constexpr size_t kFieldOverheadMax = 2 * hpack::kIntegerBytesMax + 1;
constexpr size_t kTableSizeUpdatesMax = 2 * hpack::kIntegerBytesMax;

// A field larger than this share of the table would displace most of what is there.
constexpr size_t LargestEntry(size_t table_bytes) { return table_bytes / 2; }

// Index of a whole field in the static table; 0: it is not there.
size_t StaticIndexOf(const HeaderField& field) {
  const auto first = static_cast<size_t>(field.name_id);
  for (size_t i = first; i <= kStaticHeaders.size() && kStaticNames[i - 1] == field.name_id; ++i) {
    if (kStaticHeaders[i - 1].value == field.value) return i;
  }
  return 0;
}

// Index of its name; 0: it is not there.
size_t StaticIndexOfName(const HeaderField& field) {
  return field.name_id <= HeaderName::kStaticLast ? static_cast<size_t>(field.name_id) : 0;
}

// Credentials stay out of a table that is shared with other callers, on every hop (RFC 7541 section
// 7.1.3); a short cookie could be guessed.
bool IsSecret(const HeaderField& field) {
  switch (field.name_id) {
    case HeaderName::kAuthorization:
    case HeaderName::kProxyAuthorization:
      return true;
    case HeaderName::kCookie:
      return field.never_index || field.value.size() < 20;
    default:
      return field.never_index;
  }
}

uint8_t* WriteLiteral(uint8_t* out, uint8_t kind, uint8_t prefix_max, const HeaderField& field) {
  const size_t name = StaticIndexOfName(field);
  out = hpack::WriteInteger(out, kind, prefix_max, name);
  if (name == 0) out = hpack::WriteString(out, field.name);
  return hpack::WriteString(out, field.value);
}

}  // namespace

void HpackEncoder::SetTableBytes(uint32_t bytes) {
  table_bytes_ = std::min(bytes, limits::kHpackTableBytes);
  table_bytes_min_ = std::min(table_bytes_min_, table_bytes_);
  table_.SetBytesMax(table_bytes_);
}

Bytes HpackEncoder::Encode(absl::Span<const HeaderField> fields, std::vector<uint8_t>& scratch) {
  size_t bytes_max = kTableSizeUpdatesMax;
  for (const HeaderField& field : fields) {
    bytes_max += field.name.size() + field.value.size() + kFieldOverheadMax;
  }
  if (scratch.size() < bytes_max) scratch.resize(std::max<size_t>(bytes_max, limits::kSlabBytes));
  uint8_t* out = WriteTableSize(scratch.data());
  for (const HeaderField& field : fields) out = WriteField(out, field);
  return Bytes(scratch.data(), out - scratch.data());
}

uint8_t* HpackEncoder::WriteTableSize(uint8_t* out) {
  if (table_bytes_min_ < std::min(announced_bytes_, table_bytes_)) {
    out = hpack::WriteInteger(out, hpack::kTableSize, hpack::kTableSizeMax, table_bytes_min_);
    announced_bytes_ = table_bytes_min_;
  }
  if (announced_bytes_ != table_bytes_) {
    out = hpack::WriteInteger(out, hpack::kTableSize, hpack::kTableSizeMax, table_bytes_);
    announced_bytes_ = table_bytes_;
  }
  table_bytes_min_ = table_bytes_;
  return out;
}

uint8_t* HpackEncoder::WriteField(uint8_t* out, HeaderField field) {
  field.name_id = field.Name();
  if (IsSecret(field)) return WriteLiteral(out, hpack::kNeverIndexed, hpack::kLiteralMax, field);
  size_t index = StaticIndexOf(field);
  if (index == 0) {
    if (field.hash == 0) field.hash = HashOf(field);
    const std::optional<size_t> age = table_.Find(field);
    if (age.has_value()) index = kStaticHeaders.size() + 1 + *age;
  }
  if (index != 0) return hpack::WriteInteger(out, hpack::kIndexed, hpack::kIndexedMax, index);
  if (HpackTable::EntryBytes(field) > LargestEntry(table_bytes_) || !SeenBefore(field.hash)) {
    return WriteLiteral(out, hpack::kWithoutIndexing, hpack::kLiteralMax, field);
  }
  table_.Insert(field);
  return WriteLiteral(out, hpack::kIndexing, hpack::kIndexingMax, field);
}

bool HpackEncoder::SeenBefore(uint32_t hash) {
  if (seen_ == nullptr) seen_ = std::make_unique<Seen>();
  uint32_t& seen = (*seen_)[(hash >> 8) % kSeenSlots];
  if (seen == hash) return true;
  seen = hash;
  return false;
}

}  // namespace pinion::http2
