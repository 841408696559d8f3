// CowPages: the two upper levels of a hash table whose copies share memory. The builder changes one
// copy; route tables hold others. A change copies the one page (some hundred entries at a million)
// and the one group that hold it; the rest stays shared.
//
//   root: 64 groups > group: 64 pages > page: open addressing over storage of its own
//
// A Page is a small value whose copies share their storage(), until Detach() gives one its own.
// Thread-compatible; a copy made by Freeze() is immutable and any thread's.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace pinion::route {

template <typename Page>
class CowPages {
 public:
  // The page that holds what has this hash, or null.
  const Page* Find(uint64_t hash) const {
    const Group* group = root_[GroupOf(hash)].get();
    return group == nullptr ? nullptr : &group->pages[PageOf(hash)];
  }

  // The same page, to be changed. What was made since the last Freeze() is ours alone; older things
  // may be read by others and are copied.
  Page& Mutable(uint64_t hash) {
    std::shared_ptr<Group>& group = root_[GroupOf(hash)];
    if (group == nullptr || group->epoch != epoch_) {
      group = group == nullptr ? std::make_shared<Group>() : std::make_shared<Group>(*group);
      group->epoch = epoch_;
    }
    Page& page = group->pages[PageOf(hash)];
    if (page.epoch != epoch_) {
      page.Detach();
      page.epoch = epoch_;
    }
    return page;
  }

  // An immutable copy that shares everything; what this one changes from now on is copied first.
  CowPages Freeze() {
    ++epoch_;
    return *this;
  }

  template <typename Visit>
  void ForEachPage(Visit&& visit) const {
    for (const auto& group : root_) {
      if (group == nullptr) continue;
      for (const Page& page : group->pages) visit(page);
    }
  }

  size_t MemoryBytes() const {
    size_t bytes = sizeof(*this);
    for (const auto& group : root_) bytes += group == nullptr ? 0 : sizeof(Group);
    ForEachPage([&bytes](const Page& page) { bytes += page.StorageBytes(); });
    return bytes;
  }

  // How many groups and pages this copy does not share with `before`; for tests.
  size_t CopiedSince(const CowPages& before) const {
    size_t copied = 0;
    for (size_t g = 0; g < kFanout; ++g) {
      const Group* mine = root_[g].get();
      const Group* theirs = before.root_[g].get();
      if (mine == nullptr || mine == theirs) continue;
      ++copied;
      for (size_t p = 0; p < kFanout; ++p) {
        const void* storage = mine->pages[p].storage();
        if (storage == nullptr) continue;
        if (theirs == nullptr || theirs->pages[p].storage() != storage) ++copied;
      }
    }
    return copied;
  }

 private:
  static constexpr size_t kFanout = 64;

  struct Group {
    uint64_t epoch = 0;
    std::array<Page, kFanout> pages;
  };

  // The high bits choose group and page, the low half a place in the page.
  static size_t GroupOf(uint64_t hash) { return hash >> 58; }
  static size_t PageOf(uint64_t hash) { return hash >> 52 & (kFanout - 1); }

  uint64_t epoch_ = 1;
  std::array<std::shared_ptr<Group>, kFanout> root_;
};

// Where the search for a hash begins among `capacity` slots, which need not be a power of two.
inline size_t HomeSlot(uint32_t hash_low, uint32_t capacity) {
  return static_cast<size_t>(static_cast<uint64_t>(hash_low) * capacity >> 32);
}

// How many slots to have for `used` ones. A million pins pay for the spare ones; too few, and a
// page that grows from nothing moves each slot many times: with these, three or four times.
inline uint32_t RoomySlots(uint32_t used) { return used + used / 5 * 3 + 4; }

// Whether one more fits and leaves searches short.
inline bool HasRoom(uint32_t used, uint32_t capacity) {
  return (uint64_t{used} + 1) * 5 <= uint64_t{capacity} * 4;
}

}  // namespace pinion::route
