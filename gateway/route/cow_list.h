// CowList: values by number (0, 1, 2, …) in copy-on-write pages (see cow_pages.h). Putting one
// copies the few that are on its page: one in 4,096 of all.
//
// A Value is cheap to copy; one that was never put is a Value{}.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "gateway/route/cow_pages.h"

namespace pinion::route {

template <typename Value>
class CowList {
 public:
  // Null: neither it nor one behind it on its page was ever put. Valid until the list changes.
  const Value* Find(uint32_t number) const {
    const Page* page = pages_.Find(HashOf(number));
    if (page == nullptr || page->values == nullptr) return nullptr;
    const size_t place = PlaceOf(number);
    return place < page->values->size() ? &(*page->values)[place] : nullptr;
  }

  void Put(uint32_t number, Value value) {
    std::vector<Value>& values = *pages_.Mutable(HashOf(number)).values;
    const size_t place = PlaceOf(number);
    if (values.size() <= place) values.resize(place + 1);
    values[place] = std::move(value);
  }

  // As CowPages::Freeze.
  CowList Freeze() {
    CowList frozen;
    frozen.pages_ = pages_.Freeze();
    return frozen;
  }

  // In no particular order.
  template <typename Visit>
  void ForEach(Visit&& visit) const {
    pages_.ForEachPage([&visit](const Page& page) {
      if (page.values == nullptr) return;
      for (const Value& value : *page.values) visit(value);
    });
  }

  // As CowPages::CopiedSince.
  size_t CopiedSince(const CowList& before) const { return pages_.CopiedSince(before.pages_); }

 private:
  struct Page {
    uint64_t epoch = 0;
    std::shared_ptr<std::vector<Value>> values;

    void Detach() {
      values = values == nullptr ? std::make_shared<std::vector<Value>>()
                                 : std::make_shared<std::vector<Value>>(*values);
    }
    const void* storage() const { return values.get(); }
    size_t StorageBytes() const {
      return values == nullptr ? 0 : values->capacity() * sizeof(Value);
    }
  };

  // Its low bits choose group and page, so that few values spread over many pages.
  static uint64_t HashOf(uint32_t number) { return uint64_t{number} << 52; }
  static size_t PlaceOf(uint32_t number) { return number >> 12; }

  CowPages<Page> pages_;
};

}  // namespace pinion::route
