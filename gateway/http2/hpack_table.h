// The dynamic table of HPACK (RFC 7541 sections 2.3.2 and 4), which an encoder and its decoder keep
// alike. Owned by one of them; one thread. Holds no memory before its first entry, and allocates
// nothing once it has been full.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "gateway/http2/header_field.h"
#include "gateway/limits.h"

namespace pinion::http2 {

class HpackTable {
 public:
  // Section 4.1: an entry costs its name, its value and 32.
  static constexpr size_t kEntryOverheadBytes = 32;
  static size_t EntryBytes(const HeaderField& field) {
    return field.name.size() + field.value.size() + kEntryOverheadBytes;
  }

  // Evicts what no longer fits. REQUIRES: at most limits::kHpackTableBytes.
  void SetBytesMax(uint32_t bytes);

  // Makes a copy the newest entry, and evicts for it. A field that is larger than the whole table
  // leaves it empty; its name may be that of an entry, also of one that goes (section 4.4).
  void Insert(const HeaderField& field);

  size_t count() const { return count_; }

  // The entry before which `age` newer ones came; valid until the next Insert(). REQUIRES: age <
  // count().
  HeaderField At(size_t age) const { return FieldAt(SlotOf(age)); }

  // The age of an entry equal to `field`, both with their hashes.
  std::optional<size_t> Find(const HeaderField& field) const;

 private:
  struct Entry {
    uint32_t begin = 0;  // in text_: the name, behind it the value
    uint32_t hash = 0;
    uint16_t name_bytes = 0;
    uint16_t value_bytes = 0;
    HeaderName name_id = HeaderName::kUnread;
    bool well_formed = false;
    uint8_t older = 0;  // slot of the one before it in its bucket, if that is still there
    size_t bytes() const { return size_t{name_bytes} + value_bytes + kEntryOverheadBytes; }
  };

  size_t Mask() const { return entries_.size() - 1; }
  size_t SlotOf(size_t age) const { return (oldest_ + count_ - 1 - age) & Mask(); }
  HeaderField FieldAt(size_t slot) const;
  void EvictUntil(size_t bytes_max);
  size_t AgeOf(size_t slot) const { return (oldest_ + count_ - 1 - slot) & Mask(); }
  size_t BucketOf(uint32_t hash) const { return (hash >> 1) & (newest_.size() - 1); }
  void Link(size_t slot);
  bool Equals(const Entry& entry, const HeaderField& field) const;
  void GrowEntries();
  // Where the copies begin in text_.
  uint32_t Append(absl::string_view name, absl::string_view value);
  // Moves the text to the front; returns by how much.
  size_t MakeRoom(size_t bytes);

  // A ring whose size is a power of two, and by hash the slot of the newest entry in each bucket.
  // Eviction forgets no slots: what stands in one now tells whether it is meant.
  std::vector<Entry> entries_;
  std::vector<uint8_t> newest_;
  size_t oldest_ = 0;
  size_t count_ = 0;
  size_t bytes_ = 0;
  size_t bytes_max_ = limits::kHpackTableBytes;
  // Of the entries, from the oldest on; moved to the front when the end is reached.
  std::vector<char> text_;
  size_t text_end_ = 0;
};

}  // namespace pinion::http2
