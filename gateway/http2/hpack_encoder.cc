#include "gateway/http2/hpack_encoder.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/string_view.h"
#include "gateway/http2/hpack_static_table.h"

namespace pinion::http2 {
namespace {

// RFC 7541 section 6: first bits of each representation, and the largest value of the rest.
constexpr uint8_t kIndexed = 0x80, kIndexing = 0x40, kTableSize = 0x20, kNeverIndexed = 0x10,
                  kWithoutIndexing = 0x00;
constexpr uint32_t kIndexedMax = 127, kIndexingMax = 63, kTableSizeMax = 31, kLiteralMax = 15,
                   kLengthMax = 127;

// Two lengths of at most six bytes each, and the first byte.
constexpr size_t kFieldOverheadMax = 13;
constexpr size_t kTableSizeUpdatesMax = 12;

// A field larger than this share of the table would displace most of what is there.
constexpr size_t LargestEntry(size_t table_bytes) { return table_bytes / 2; }

uint8_t* WriteInteger(uint8_t* out, uint8_t first_bits, uint32_t prefix_max, size_t value) {
  if (value < prefix_max) {
    *out++ = static_cast<uint8_t>(first_bits | value);
    return out;
  }
  *out++ = static_cast<uint8_t>(first_bits | prefix_max);
  for (value -= prefix_max; value >= 0x80; value >>= 7) *out++ = static_cast<uint8_t>(value | 0x80);
  *out++ = static_cast<uint8_t>(value);
  return out;
}

uint8_t* WriteString(uint8_t* out, absl::string_view text) {
  out = WriteInteger(out, 0, kLengthMax, text.size());
  if (!text.empty()) std::memcpy(out, text.data(), text.size());
  return out + text.size();
}

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

// Never zero, which marks an empty place.
uint32_t HashOf(absl::string_view name, absl::string_view value) {
  uint64_t hash = Sample(name) * 0xff51afd7ed558ccd;
  hash = (hash ^ (hash >> 32) ^ Sample(value) ^ (name.size() << 16) ^ value.size()) *
         0x9fb21c651e98df25;
  return static_cast<uint32_t>(hash >> 32) | 1;
}

// The static table by the hash of what it holds.
class StaticIndex {
 public:
  StaticIndex() {
    for (size_t i = 0; i < kStaticHeaders.size(); ++i) {
      const StaticHeader& header = kStaticHeaders[i];
      Put(HashOf(header.name, header.value), static_cast<uint8_t>(i + 1));
    }
  }

  // Index of a whole field; 0: it is not there.
  size_t Find(uint32_t hash, const HeaderField& field) const {
    for (size_t slot = hash >> kShift; slots_[slot] != 0; slot = (slot + 1) % kSlots) {
      const StaticHeader& header = kStaticHeaders[slots_[slot] - 1];
      if (header.name == field.name && header.value == field.value) return slots_[slot];
    }
    return 0;
  }

  // Any index of the name; 0: there is none. Only what is not indexed asks.
  static size_t FindName(absl::string_view name) {
    for (size_t i = 0; i < kStaticHeaders.size(); ++i) {
      if (kStaticHeaders[i].name == name) return i + 1;
    }
    return 0;
  }

 private:
  static constexpr size_t kSlots = 256;
  static constexpr int kShift = 24;

  void Put(uint32_t hash, uint8_t index) {
    size_t slot = hash >> kShift;
    while (slots_[slot] != 0) slot = (slot + 1) % kSlots;
    slots_[slot] = index;
  }

  std::array<uint8_t, kSlots> slots_{};
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

uint8_t* WriteLiteral(uint8_t* out, uint8_t kind, uint32_t prefix_max, const HeaderField& field) {
  const size_t name = StaticIndex::FindName(field.name);
  out = WriteInteger(out, kind, prefix_max, name);
  if (name == 0) out = WriteString(out, field.name);
  return WriteString(out, field.value);
}

}  // namespace

void HpackEncoder::SetTableBytes(uint32_t bytes) {
  table_bytes_ = std::min(bytes, limits::kHpackTableBytes);
  table_bytes_min_ = std::min(table_bytes_min_, table_bytes_);
  EvictUntil(table_bytes_);
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
    out = WriteInteger(out, kTableSize, kTableSizeMax, table_bytes_min_);
    announced_bytes_ = table_bytes_min_;
  }
  if (announced_bytes_ != table_bytes_) {
    out = WriteInteger(out, kTableSize, kTableSizeMax, table_bytes_);
    announced_bytes_ = table_bytes_;
  }
  table_bytes_min_ = table_bytes_;
  return out;
}

uint8_t* HpackEncoder::WriteField(uint8_t* out, const HeaderField& field) {
  if (IsSecret(field)) return WriteLiteral(out, kNeverIndexed, kLiteralMax, field);
  const uint32_t hash = HashOf(field.name, field.value);
  size_t index = Static().Find(hash, field);
  if (index == 0) index = Find(hash, field);
  if (index != 0) return WriteInteger(out, kIndexed, kIndexedMax, index);
  const size_t bytes = field.name.size() + field.value.size() + kEntryOverheadBytes;
  if (bytes > LargestEntry(table_bytes_) || !SeenBefore(hash)) {
    return WriteLiteral(out, kWithoutIndexing, kLiteralMax, field);
  }
  Insert(hash, field);
  return WriteLiteral(out, kIndexing, kIndexingMax, field);
}

size_t HpackEncoder::Find(uint32_t hash, const HeaderField& field) const {
  if (table_ == nullptr) return 0;
  const Table& table = *table_;
  const size_t size = table.hashes.size();
  for (size_t slot = 0; slot < size; ++slot) {
    if (table.hashes[slot] != hash) continue;
    const Entry& entry = table.entries[slot];
    const absl::string_view text = entry.text;
    if (text.substr(0, entry.name_bytes) != field.name ||
        text.substr(entry.name_bytes) != field.value) {
      continue;
    }
    const size_t age = table.count - 1 - ((slot - table.oldest) & (size - 1));
    return kStaticHeaders.size() + 1 + age;
  }
  return 0;
}

bool HpackEncoder::SeenBefore(uint32_t hash) {
  if (table_ == nullptr) table_ = std::make_unique<Table>();
  uint32_t& seen = table_->seen[(hash >> 8) % kSeenSlots];
  if (seen == hash) return true;
  seen = hash;
  return false;
}

void HpackEncoder::Insert(uint32_t hash, const HeaderField& field) {
  Table& table = *table_;
  const size_t bytes = field.name.size() + field.value.size() + kEntryOverheadBytes;
  EvictUntil(table_bytes_ - bytes);
  if (table.count == table.hashes.size()) Grow();
  const size_t slot = (table.oldest + table.count) & (table.hashes.size() - 1);
  table.hashes[slot] = hash;
  Entry& entry = table.entries[slot];
  entry.text.assign(field.name.data(), field.name.size());
  entry.text.append(field.value.data(), field.value.size());
  entry.name_bytes = field.name.size();
  ++table.count;
  table.bytes += bytes;
}

void HpackEncoder::EvictUntil(size_t bytes_max) {
  if (table_ == nullptr) return;
  Table& table = *table_;
  while (table.bytes > bytes_max) {
    table.bytes -= table.entries[table.oldest].text.size() + kEntryOverheadBytes;
    table.hashes[table.oldest] = 0;
    table.oldest = (table.oldest + 1) & (table.hashes.size() - 1);
    --table.count;
  }
}

void HpackEncoder::Grow() {
  constexpr size_t kFirstEntries = 16;
  Table& table = *table_;
  const size_t size = std::max(kFirstEntries, 2 * table.hashes.size());
  std::vector<uint32_t> hashes(size, 0);
  std::vector<Entry> entries(size);
  for (size_t k = 0; k < table.count; ++k) {
    const size_t slot = (table.oldest + k) & (table.hashes.size() - 1);
    hashes[k] = table.hashes[slot];
    entries[k] = std::move(table.entries[slot]);
  }
  table.hashes = std::move(hashes);
  table.entries = std::move(entries);
  table.oldest = 0;
}

}  // namespace pinion::http2
