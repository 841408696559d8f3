// CowSlots: a hash table of small fixed-size slots whose copies share memory. The builder changes
// one copy; tables hold others. A change copies the one page (some hundred slots at a million) and
// the one group that hold it; the rest stays shared.
//
//   root: 64 groups > group: 64 pages > page: open addressing, linear probing, few spare slots
//
// A Slot is trivially copyable, has `bool empty() const`, `uint64_t Hash() const`, and is all zero
// when empty. What finds a slot is a hash and a predicate, so that keys need not be in it.
// Thread-compatible; a copy made by Freeze() is immutable and any thread's.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

namespace pinion::route {

template <typename Slot>
class CowSlots {
  static_assert(std::is_trivially_copyable_v<Slot>);

 public:
  size_t size() const { return size_; }

  // The slot with this hash for which `matches(slot)`, or null.
  template <typename Matches>
  const Slot* Find(uint64_t hash, Matches&& matches) const {
    const Group* group = root_[GroupOf(hash)].get();
    if (group == nullptr) return nullptr;
    const Page* page = group->pages[PageOf(hash)].get();
    return page == nullptr ? nullptr : page->Find(hash, matches);
  }

  // Adds `slot`, or overwrites the one for which `matches(old)`. True: added.
  template <typename Matches>
  bool Put(const Slot& slot, Matches&& matches) {
    const uint64_t hash = slot.Hash();
    Page& page = MutablePage(hash);
    if (const Slot* old = page.Find(hash, matches); old != nullptr) {
      const_cast<Slot&>(*old) = slot;
      return false;
    }
    if ((page.used + 1) * 8 > page.slots.size() * 7) page.Grow();
    page.Insert(slot);
    ++size_;
    return true;
  }

  // False: there was none.
  template <typename Matches>
  bool Erase(uint64_t hash, Matches&& matches) {
    if (Find(hash, matches) == nullptr) return false;
    MutablePage(hash).Erase(hash, matches);
    --size_;
    return true;
  }

  // An immutable copy that shares everything; what this one changes from now on is copied first.
  CowSlots Freeze() {
    ++epoch_;
    return *this;
  }

  // Memory of the pages, to be compared with size().
  size_t MemoryBytes() const {
    size_t bytes = sizeof(*this);
    for (const auto& group : root_) {
      if (group == nullptr) continue;
      bytes += sizeof(Group);
      for (const auto& page : group->pages) {
        if (page != nullptr) bytes += sizeof(Page) + page->slots.capacity() * sizeof(Slot);
      }
    }
    return bytes;
  }

  // Whether the page that holds `hash` is the very same in both, for tests.
  bool SharesPage(const CowSlots& other, uint64_t hash) const {
    const auto& a = root_[GroupOf(hash)];
    const auto& b = other.root_[GroupOf(hash)];
    return a == b || (a && b && a->pages[PageOf(hash)] == b->pages[PageOf(hash)]);
  }

 private:
  static constexpr size_t kFanout = 64;

  struct Page {
    uint64_t epoch = 0;
    size_t used = 0;
    std::vector<Slot> slots;

    // Maps the hash's low half onto any number of slots; groups and pages use the high bits.
    size_t Home(uint64_t hash) const { return (hash & 0xffffffff) * slots.size() >> 32; }

    template <typename Matches>
    const Slot* Find(uint64_t hash, Matches&& matches) const {
      if (slots.empty()) return nullptr;
      for (size_t i = Home(hash); !slots[i].empty(); i = Next(i)) {
        if (matches(slots[i])) return &slots[i];
      }
      return nullptr;
    }
    size_t Next(size_t i) const { return i + 1 == slots.size() ? 0 : i + 1; }

    // REQUIRES: a free slot beside the one that ends every search.
    void Insert(const Slot& slot) {
      size_t i = Home(slot.Hash());
      while (!slots[i].empty()) i = Next(i);
      slots[i] = slot;
      ++used;
    }
    void Rebuild(size_t capacity) {
      std::vector<Slot> old = std::exchange(slots, std::vector<Slot>(capacity));
      used = 0;
      for (const Slot& slot : old) {
        if (!slot.empty()) Insert(slot);
      }
    }
    void Grow() { Rebuild(used + used / 4 + 4); }
    template <typename Matches>
    void Erase(uint64_t hash, Matches&& matches) {
      const_cast<Slot&>(*Find(hash, matches)) = Slot{};
      Rebuild(slots.size());
    }
  };
  struct Group {
    uint64_t epoch = 0;
    std::array<std::shared_ptr<Page>, kFanout> pages;
  };

  static size_t GroupOf(uint64_t hash) { return hash >> 58; }
  static size_t PageOf(uint64_t hash) { return hash >> 52 & 63; }

  // What was made since the last Freeze() is ours alone; anything older may be read by others and
  // is copied.
  Page& MutablePage(uint64_t hash) {
    auto& group = root_[GroupOf(hash)];
    if (group == nullptr || group->epoch != epoch_) {
      group = group == nullptr ? std::make_shared<Group>() : std::make_shared<Group>(*group);
      group->epoch = epoch_;
    }
    auto& page = group->pages[PageOf(hash)];
    if (page == nullptr || page->epoch != epoch_) {
      page = page == nullptr ? std::make_shared<Page>() : std::make_shared<Page>(*page);
      page->epoch = epoch_;
    }
    return *page;
  }

  uint64_t epoch_ = 1;
  size_t size_ = 0;
  std::array<std::shared_ptr<Group>, kFanout> root_;
};

}  // namespace pinion::route
