#include "gateway/http2/hpack_encoder.h"

#include <algorithm>
#include <cstring>
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

uint64_t Load(const char* from, size_t bytes) {
  uint64_t value = 0;
  std::memcpy(&value, from, bytes);
  return value;
}

// Both ends and the middle of a text: enough to tell headers apart; equal hashes are compared in
// full.
uint64_t Sample(absl::string_view text) {
  const size_t size = text.size();
  if (size < 8) return Load(text.data(), size);
  return Load(text.data(), 8) ^ (Load(text.data() + size - 8, 8) * 0x9e3779b97f4a7c15) ^
         (Load(text.data() + (size - 8) / 2, 8) * 0xc2b2ae3d27d4eb4f);
}

uint64_t HashOfName(absl::string_view name) {
  const uint64_t hash = (Sample(name) ^ name.size()) * 0xff51afd7ed558ccd;
  return hash ^ (hash >> 32);
}

// Never zero, nor is its lowest byte: those mark empty places.
uint32_t HashOf(absl::string_view name, absl::string_view value) {
  const uint64_t hash = (HashOfName(name) ^ Sample(value) ^ value.size()) * 0x9fb21c651e98df25;
  return static_cast<uint32_t>(hash >> 32) | 1;
}

// The static table, by the hashes of its fields and of their names.
class StaticIndex {
 public:
  StaticIndex() {
    for (size_t i = 0; i < kStaticHeaders.size(); ++i) {
      const StaticHeader& header = kStaticHeaders[i];
      const auto index = static_cast<uint8_t>(i + 1);
      Put(fields_, HashOf(header.name, header.value) >> kFieldShift, index);
      if (FindName(header.name) == 0) Put(names_, NameSlot(header.name), index);
    }
  }

  // Index of a whole field; 0: it is not there.
  size_t Find(uint32_t hash, const HeaderField& field) const {
    for (size_t slot = hash >> kFieldShift; fields_[slot] != 0; slot = (slot + 1) % kSlots) {
      const StaticHeader& header = kStaticHeaders[fields_[slot] - 1];
      if (header.name == field.name && header.value == field.value) return fields_[slot];
    }
    return 0;
  }

  // The first index of the name; 0: there is none.
  size_t FindName(absl::string_view name) const {
    for (size_t slot = NameSlot(name); names_[slot] != 0; slot = (slot + 1) % kSlots) {
      if (kStaticHeaders[names_[slot] - 1].name == name) return names_[slot];
    }
    return 0;
  }

 private:
  static constexpr size_t kSlots = 256;
  static constexpr int kFieldShift = 24;
  using Slots = std::array<uint8_t, kSlots>;

  static size_t NameSlot(absl::string_view name) { return HashOfName(name) % kSlots; }

  static void Put(Slots& slots, size_t slot, uint8_t index) {
    while (slots[slot] != 0) slot = (slot + 1) % kSlots;
    slots[slot] = index;
  }

  Slots fields_{};
  Slots names_{};
};

const StaticIndex& Static() {
  static const StaticIndex index;
  return index;
}

// Credentials stay out of a table that is shared with other callers, on every hop (RFC 7541 section
// 7.1.3); a short cookie could be guessed.
bool IsSecret(const HeaderField& field) {
  return field.never_index || field.name == "authorization" ||
         field.name == "proxy-authorization" || (field.name == "cookie" && field.value.size() < 20);
}

uint8_t* WriteLiteral(uint8_t* out, uint8_t kind, uint8_t prefix_max, const HeaderField& field) {
  const size_t name = Static().FindName(field.name);
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

uint8_t* HpackEncoder::WriteField(uint8_t* out, const HeaderField& field) {
  if (IsSecret(field)) return WriteLiteral(out, hpack::kNeverIndexed, hpack::kLiteralMax, field);
  const uint32_t hash = HashOf(field.name, field.value);
  size_t index = Static().Find(hash, field);
  const auto tag = static_cast<uint8_t>(hash);
  if (index == 0) {
    const std::optional<size_t> age = table_.Find(tag, field);
    if (age.has_value()) index = kStaticHeaders.size() + 1 + *age;
  }
  if (index != 0) return hpack::WriteInteger(out, hpack::kIndexed, hpack::kIndexedMax, index);
  if (HpackTable::EntryBytes(field) > LargestEntry(table_bytes_) || !SeenBefore(hash)) {
    return WriteLiteral(out, hpack::kWithoutIndexing, hpack::kLiteralMax, field);
  }
  table_.Insert(field, tag);
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
