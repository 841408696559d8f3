#include "gateway/http2/hpack_table.h"

#include <algorithm>
#include <cstring>
#include <functional>
#include <utility>

#include "base/check.h"

namespace pinion::http2 {
namespace {

constexpr size_t kFirstEntries = 16;
constexpr size_t kFirstTextBytes = 512;

// A full table, and an entry as large before the others go for it. What is live moves once for as
// many bytes as it has, or seldom enough where entries are large.
constexpr size_t kTextBytesMax = 2 * limits::kHpackTableBytes;
static_assert(limits::kHpackTableBytes <= UINT16_MAX, "an entry's sizes have 16 bits");

}  // namespace

void HpackTable::SetBytesMax(uint32_t bytes) {
  DCHECK(bytes <= limits::kHpackTableBytes);
  bytes_max_ = bytes;
  EvictUntil(bytes);
}

void HpackTable::Insert(const HeaderField& field) {
  const size_t bytes = EntryBytes(field);
  if (bytes > bytes_max_) return EvictUntil(0);
  const uint32_t begin = Append(field.name, field.value);
  EvictUntil(bytes_max_ - bytes);
  if (count_ == entries_.size()) GrowEntries();
  const size_t slot = (oldest_ + count_) & Mask();
  entries_[slot] = {begin,
                    field.hash,
                    static_cast<uint16_t>(field.name.size()),
                    static_cast<uint16_t>(field.value.size()),
                    field.name_id,
                    field.well_formed};
  Link(slot);
  ++count_;
  bytes_ += bytes;
}

void HpackTable::Link(size_t slot) {
  const size_t bucket = BucketOf(entries_[slot].hash);
  entries_[slot].older = std::exchange(newest_[bucket], static_cast<uint8_t>(slot));
}

// From the newest of the bucket on, as long as the next one is older, still there and of the
// bucket.
std::optional<size_t> HpackTable::Find(const HeaderField& field) const {
  if (count_ == 0) return std::nullopt;
  const size_t bucket = BucketOf(field.hash);
  size_t slot = newest_[bucket];
  size_t age = AgeOf(slot);
  for (size_t before = 0; age >= before && age < count_; age = AgeOf(slot)) {
    const Entry& entry = entries_[slot];
    if (BucketOf(entry.hash) != bucket) break;
    if (entry.hash == field.hash && Equals(entry, field)) return age;
    before = age + 1;
    slot = entry.older;
  }
  return std::nullopt;
}

bool HpackTable::Equals(const Entry& entry, const HeaderField& field) const {
  if (entry.name_bytes != field.name.size() || entry.value_bytes != field.value.size())
    return false;
  const char* const name = text_.data() + entry.begin;
  const bool known = field.name_id != HeaderName::kOther && field.name_id != HeaderName::kUnread;
  const bool same_name = known ? entry.name_id == field.name_id
                               : std::equal(field.name.begin(), field.name.end(), name);
  return same_name && absl::string_view(name + entry.name_bytes, entry.value_bytes) == field.value;
}

HeaderField HpackTable::FieldAt(size_t slot) const {
  const Entry& entry = entries_[slot];
  const char* const name = text_.data() + entry.begin;
  HeaderField field;
  field.name = {name, entry.name_bytes};
  field.value = {name + entry.name_bytes, entry.value_bytes};
  field.well_formed = entry.well_formed;
  field.name_id = entry.name_id;
  field.hash = entry.hash;
  return field;
}

void HpackTable::EvictUntil(size_t bytes_max) {
  while (bytes_ > bytes_max) {
    bytes_ -= entries_[oldest_].bytes();
    oldest_ = (oldest_ + 1) & Mask();
    --count_;
  }
}

void HpackTable::GrowEntries() {
  const size_t size = std::max(kFirstEntries, 2 * entries_.size());
  std::vector<Entry> entries(size);
  for (size_t k = 0; k < count_; ++k) entries[k] = entries_[(oldest_ + k) & Mask()];
  entries_ = std::move(entries);
  oldest_ = 0;
  newest_.assign(2 * size, 0);
  for (size_t slot = 0; slot < count_; ++slot) Link(slot);
}

uint32_t HpackTable::Append(absl::string_view name, absl::string_view value) {
  const size_t bytes = name.size() + value.size();
  if (text_.size() - text_end_ < bytes) {
    const std::less<const char*> before;
    const bool ours =
        !before(name.data(), text_.data()) && before(name.data(), text_.data() + text_end_);
    const size_t offset = ours ? name.data() - text_.data() : 0;
    const size_t moved = MakeRoom(bytes);
    if (ours) name = {text_.data() + offset - moved, name.size()};
  }
  char* const place = text_.data() + text_end_;
  if (!name.empty()) std::memcpy(place, name.data(), name.size());
  if (!value.empty()) std::memcpy(place + name.size(), value.data(), value.size());
  return static_cast<uint32_t>(std::exchange(text_end_, text_end_ + bytes));
}

size_t HpackTable::MakeRoom(size_t bytes) {
  const size_t first = count_ == 0 ? text_end_ : entries_[oldest_].begin;
  const size_t live = text_end_ - first;
  if (live > 0) std::memmove(text_.data(), text_.data() + first, live);
  for (size_t age = 0; age < count_; ++age) {
    entries_[SlotOf(age)].begin -= static_cast<uint32_t>(first);
  }
  text_end_ = live;
  if (text_.size() < 2 * (live + bytes) && text_.size() < kTextBytesMax) {
    text_.resize(std::clamp(2 * (live + bytes), kFirstTextBytes, kTextBytesMax));
  }
  return first;
}

}  // namespace pinion::http2
