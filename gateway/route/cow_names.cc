#include "gateway/route/cow_names.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/hash/hash.h"

namespace pinion::route {
namespace {

constexpr uint32_t kHeaderBytes = 2 * sizeof(uint16_t) + 1;  // sizes and kind

uint64_t HashOf(char kind, absl::string_view name) { return absl::HashOf(kind, name); }

uint16_t ReadSize(const char* from) {
  uint16_t size = 0;
  std::memcpy(&size, from, sizeof(size));
  return size;
}

void WriteSize(char* to, size_t size) {
  const auto size16 = static_cast<uint16_t>(size);
  std::memcpy(to, &size16, sizeof(size16));
}

}  // namespace

CowNames::Slot* CowNames::Page::Find(uint64_t hash, char kind, absl::string_view name) const {
  if (capacity == 0) return nullptr;
  const auto hash_low = static_cast<uint32_t>(hash);
  Slot* const first = slots.get();
  for (size_t i = HomeSlot(hash_low, capacity); first[i].offset != 0; i = Next(i)) {
    if (first[i].hash_low != hash_low) continue;
    if (bytes[first[i].offset + kHeaderBytes - 1] != kind) continue;
    if (EntryOf(first[i]).name == name) return &first[i];
  }
  return nullptr;
}

CowNames::Entry CowNames::Page::EntryOf(const Slot& slot) const {
  const char* const record = bytes.get() + slot.offset;
  const size_t name_size = ReadSize(record);
  const size_t text_size = ReadSize(record + sizeof(uint16_t));
  const char* const name = record + kHeaderBytes;
  return {slot.id, slot.value, absl::string_view(name, name_size),
          absl::string_view(name + name_size, text_size)};
}

uint32_t CowNames::Page::RecordBytes(const Slot& slot) const {
  const Entry entry = EntryOf(slot);
  return static_cast<uint32_t>(kHeaderBytes + entry.name.size() + entry.text.size());
}

CowNames::Slot& CowNames::Page::Insert(const Slot& slot) {
  size_t i = HomeSlot(slot.hash_low, capacity);
  while (slots[i].offset != 0) i = Next(i);
  ++used;
  return slots[i] = slot;
}

CowNames::Slot& CowNames::Page::Add(uint64_t hash, char kind, const Entry& entry) {
  const auto size = static_cast<uint32_t>(kHeaderBytes + entry.name.size() + entry.text.size());
  if (!HasRoom(used, capacity)) GrowSlots();
  if (bytes_used + size > bytes_capacity) GrowBytes(size);
  char* const record = bytes.get() + bytes_used;
  WriteSize(record, entry.name.size());
  WriteSize(record + sizeof(uint16_t), entry.text.size());
  record[kHeaderBytes - 1] = kind;
  std::copy_n(entry.name.data(), entry.name.size(), record + kHeaderBytes);
  std::copy_n(entry.text.data(), entry.text.size(), record + kHeaderBytes + entry.name.size());
  const uint32_t offset = std::exchange(bytes_used, bytes_used + size);
  return Insert({static_cast<uint32_t>(hash), offset, entry.id, entry.value});
}

void CowNames::Page::GrowSlots() {
  const std::shared_ptr<Slot[]> old = std::move(slots);
  const uint32_t old_capacity = std::exchange(capacity, RoomySlots(used));
  slots = std::make_shared<Slot[]>(capacity);
  used = 0;
  for (size_t i = 0; i < old_capacity; ++i) {
    if (old[i].offset != 0) Insert(old[i]);
  }
}

void CowNames::Page::GrowBytes(uint32_t more) {
  const std::shared_ptr<char[]> old = std::move(bytes);
  bytes_capacity = bytes_used + more + bytes_used / 4;
  bytes = std::make_shared_for_overwrite<char[]>(bytes_capacity);
  if (old != nullptr) std::copy_n(old.get(), bytes_used, bytes.get());
}

void CowNames::Page::Compact() {
  const Page old = std::move(*this);
  uint32_t live_bytes = kFirstOffset;
  uint32_t live = 0;
  for (size_t i = 0; i < old.capacity; ++i) {
    if (old.slots[i].offset == 0) continue;
    live_bytes += old.RecordBytes(old.slots[i]);
    ++live;
  }
  epoch = old.epoch;
  used = 0;
  capacity = RoomySlots(live);
  slots = std::make_shared<Slot[]>(capacity);
  bytes_used = kFirstOffset;
  bytes_capacity = live_bytes + live_bytes / 4;
  bytes = std::make_shared_for_overwrite<char[]>(bytes_capacity);
  for (size_t i = 0; i < old.capacity; ++i) {
    Slot slot = old.slots[i];
    if (slot.offset == 0) continue;
    const uint32_t size = old.RecordBytes(slot);
    std::copy_n(old.bytes.get() + slot.offset, size, bytes.get() + bytes_used);
    slot.offset = std::exchange(bytes_used, bytes_used + size);
    Insert(slot);
  }
}

void CowNames::Page::Detach() {
  const Page old = *this;
  slots = std::make_shared<Slot[]>(capacity);
  bytes = std::make_shared_for_overwrite<char[]>(bytes_capacity);
  std::copy_n(old.slots.get(), capacity, slots.get());
  if (bytes_capacity != 0) std::copy_n(old.bytes.get(), bytes_used, bytes.get());
}

CowNames::Numbers CowNames::Intern(char kind, absl::string_view name, uint32_t id) {
  const uint64_t hash = HashOf(kind, name);
  Page& page = pages_.Mutable(hash);
  Slot* slot = page.Find(hash, kind, name);
  const bool added = slot == nullptr;
  if (added) {
    slot = &page.Add(hash, kind, {id, 0, name, ""});
    ++size_;
  }
  return {slot->id, slot->value, added};
}

std::optional<CowNames::Entry> CowNames::Find(char kind, absl::string_view name) const {
  const uint64_t hash = HashOf(kind, name);
  const Page* page = pages_.Find(hash);
  const Slot* slot = page == nullptr ? nullptr : page->Find(hash, kind, name);
  if (slot == nullptr) return std::nullopt;
  return page->EntryOf(*slot);
}

void CowNames::PrefetchSlot(char kind, absl::string_view name) const {
  const uint64_t hash = HashOf(kind, name);
  const Page* page = pages_.Find(hash);
  if (page == nullptr || page->capacity == 0) return;
  __builtin_prefetch(&page->slots[HomeSlot(static_cast<uint32_t>(hash), page->capacity)]);
}

void CowNames::PrefetchRecord(char kind, absl::string_view name) const {
  const uint64_t hash = HashOf(kind, name);
  const Page* page = pages_.Find(hash);
  if (page == nullptr || page->capacity == 0) return;
  const Slot& slot = page->slots[HomeSlot(static_cast<uint32_t>(hash), page->capacity)];
  __builtin_prefetch(page->bytes.get() + slot.offset);
}

void CowNames::Put(char kind, const Entry& entry) {
  const uint64_t hash = HashOf(kind, entry.name);
  Page& page = pages_.Mutable(hash);
  if (Slot* old = page.Find(hash, kind, entry.name); old != nullptr) {
    if (page.EntryOf(*old).text == entry.text) {
      old->id = entry.id;
      old->value = entry.value;
      return;
    }
    Erase(kind, entry.name);
  }
  page.Add(hash, kind, entry);
  ++size_;
}

bool CowNames::Erase(char kind, absl::string_view name) {
  if (!Find(kind, name)) return false;
  const uint64_t hash = HashOf(kind, name);
  Page& page = pages_.Mutable(hash);
  *page.Find(hash, kind, name) = Slot{};
  page.Compact();
  --size_;
  return true;
}

CowNames CowNames::Freeze() {
  CowNames frozen;
  frozen.size_ = size_;
  frozen.pages_ = pages_.Freeze();
  return frozen;
}

}  // namespace pinion::route
