// CowSlots: a copy-on-write hash table (see cow_pages.h) of small fixed-size slots.
//
// A Slot is trivially copyable, has `bool empty() const` and `uint64_t Hash() const`, and is all
// zero when empty. Whoever searches brings a hash and a predicate, so that keys need not be built.
#pragma once

#include <algorithm>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include "gateway/route/cow_pages.h"

namespace pinion::route {

template <typename Slot>
class CowSlots {
  static_assert(std::is_trivially_copyable_v<Slot>);

 public:
  size_t size() const { return size_; }

  // The slot with this hash for which `matches(slot)`, or null.
  template <typename Matches>
  const Slot* Find(uint64_t hash, Matches&& matches) const {
    const Page* page = pages_.Find(hash);
    return page == nullptr ? nullptr : page->Find(hash, matches);
  }

  // Adds `slot`, or overwrites the one for which `matches(old)`, which is the result; nullopt:
  // added.
  template <typename Matches>
  std::optional<Slot> Put(const Slot& slot, Matches&& matches) {
    const uint64_t hash = slot.Hash();
    Page& page = pages_.Mutable(hash);
    if (Slot* old = page.Find(hash, matches); old != nullptr) return std::exchange(*old, slot);
    if (!HasRoom(page.used, page.capacity)) page.Rebuild(RoomySlots(page.used));
    page.Insert(hash, slot);
    ++size_;
    return std::nullopt;
  }

  // False: there was none.
  template <typename Matches>
  bool Erase(uint64_t hash, Matches&& matches) {
    if (Find(hash, matches) == nullptr) return false;
    Page& page = pages_.Mutable(hash);
    *page.Find(hash, matches) = Slot{};
    page.Rebuild(page.capacity);
    --size_;
    return true;
  }

  // As CowPages::Freeze.
  CowSlots Freeze() {
    CowSlots frozen;
    frozen.size_ = size_;
    frozen.pages_ = pages_.Freeze();
    return frozen;
  }

  size_t MemoryBytes() const { return pages_.MemoryBytes(); }
  // As CowPages::CopiedSince.
  size_t CopiedSince(const CowSlots& before) const { return pages_.CopiedSince(before.pages_); }

 private:
  struct Page {
    uint64_t epoch = 0;
    uint32_t used = 0;
    uint32_t capacity = 0;  // always above `used`: an empty slot ends every search
    std::shared_ptr<Slot[]> slots;

    template <typename Matches>
    Slot* Find(uint64_t hash, Matches&& matches) const {
      if (capacity == 0) return nullptr;
      Slot* const first = slots.get();
      for (size_t i = Home(hash); !first[i].empty(); i = Next(i)) {
        if (matches(first[i])) return &first[i];
      }
      return nullptr;
    }
    // REQUIRES: HasRoom.
    void Insert(uint64_t hash, const Slot& slot) {
      size_t i = Home(hash);
      while (!slots[i].empty()) i = Next(i);
      slots[i] = slot;
      ++used;
    }
    void Rebuild(uint32_t new_capacity) {
      const std::shared_ptr<Slot[]> old = std::exchange(slots, Allocate(new_capacity));
      const uint32_t old_capacity = std::exchange(capacity, new_capacity);
      used = 0;
      for (size_t i = 0; i < old_capacity; ++i) {
        if (!old[i].empty()) Insert(old[i].Hash(), old[i]);
      }
    }
    void Detach() {
      std::shared_ptr<Slot[]> own = Allocate(capacity);
      std::copy_n(slots.get(), capacity, own.get());
      slots = std::move(own);
    }
    const void* storage() const { return slots.get(); }
    size_t StorageBytes() const { return capacity * sizeof(Slot); }

    static std::shared_ptr<Slot[]> Allocate(size_t count) {
      return std::make_shared<Slot[]>(count);
    }
    size_t Home(uint64_t hash) const { return HomeSlot(static_cast<uint32_t>(hash), capacity); }
    size_t Next(size_t i) const { return i + 1 == capacity ? 0 : i + 1; }
  };

  size_t size_ = 0;
  CowPages<Page> pages_;
};

}  // namespace pinion::route
