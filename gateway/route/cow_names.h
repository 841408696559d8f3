// CowNames: a copy-on-write hash table (see cow_pages.h) from short strings to two numbers and a
// text. The strings lie in the page that finds them, so that a lookup among a million touches two
// or three cache lines, and an entry costs some 24 bytes beside its strings.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "absl/strings/string_view.h"
#include "gateway/route/cow_pages.h"

namespace pinion::route {

class CowNames {
 public:
  struct Entry {
    uint32_t id = 0;
    uint32_t value = 0;
    // Views into this copy's storage, valid until it changes.
    absl::string_view name;
    absl::string_view text;
  };

  size_t size() const { return size_; }

  // Names of different kinds are different names.
  std::optional<Entry> Find(char kind, absl::string_view name) const;

  // Asks the memory for what Find() or Intern() will read first of a name, and some nanoseconds
  // later, when that has come, for the rest.
  void PrefetchSlot(char kind, absl::string_view name) const;
  void PrefetchRecord(char kind, absl::string_view name) const;

  // The numbers of a name, which may be set as long as nothing else changes.
  struct Numbers {
    uint32_t& id;
    uint32_t& value;
    bool added;
  };
  // Adds the name with this id, the value 0 and no text, unless it is there. REQUIRES: as Put().
  Numbers Intern(char kind, absl::string_view name, uint32_t id);

  // Adds or replaces. REQUIRES: `entry.name` and `entry.text` have at most 65,535 bytes and are not
  // views into this table.
  void Put(char kind, const Entry& entry);

  // False: there was none.
  bool Erase(char kind, absl::string_view name);

  // As CowPages::Freeze.
  CowNames Freeze();

  size_t MemoryBytes() const { return pages_.MemoryBytes(); }
  // As CowPages::CopiedSince.
  size_t CopiedSince(const CowNames& before) const { return pages_.CopiedSince(before.pages_); }

 private:
  struct Slot {
    uint32_t hash_low = 0;
    uint32_t offset = 0;  // of the record in the page's bytes; 0: empty
    uint32_t id = 0;
    uint32_t value = 0;
  };

  // A record in `bytes`: size of the name, size of the text (16 bits each), kind, name, text.
  struct Page {
    uint64_t epoch = 0;
    uint32_t used = 0;
    uint32_t capacity = 0;  // always above `used`: an empty slot ends every search
    uint32_t bytes_used = kFirstOffset;
    uint32_t bytes_capacity = 0;
    std::shared_ptr<Slot[]> slots;
    std::shared_ptr<char[]> bytes;

    Slot* Find(uint64_t hash, char kind, absl::string_view name) const;
    Entry EntryOf(const Slot& slot) const;
    Slot& Add(uint64_t hash, char kind, const Entry& entry);
    void GrowSlots();
    void GrowBytes(uint32_t more);
    // Everything anew but for empty slots and the bytes of no slot.
    void Compact();
    void Detach();
    const void* storage() const { return slots.get(); }
    size_t StorageBytes() const { return capacity * sizeof(Slot) + bytes_capacity; }

   private:
    size_t Next(size_t i) const { return i + 1 == capacity ? 0 : i + 1; }
    Slot& Insert(const Slot& slot);
    uint32_t RecordBytes(const Slot& slot) const;
  };

  static constexpr uint32_t kFirstOffset = 1;  // so that 0 is no record's

  size_t size_ = 0;
  CowPages<Page> pages_;
};

}  // namespace pinion::route
