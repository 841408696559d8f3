// CowSlots, CowNames and CowList against plain maps, and what their frozen copies share.
#include <gtest/gtest.h>

#include <map>
#include <random>
#include <string>

#include "gateway/route/cow_list.h"
#include "gateway/route/cow_names.h"
#include "gateway/route/cow_slots.h"
#include "gateway/route/slots.h"

namespace pinion::route {
namespace {

bool PutPin(CowSlots<PinSlot>& pins, uint32_t consumer, uint16_t expression) {
  const PinSlot slot{consumer, 7, 0, expression};
  return !pins.Put(slot, [&](const PinSlot& other) { return other.SameKey(slot); }).has_value();
}

const PinSlot* FindPin(const CowSlots<PinSlot>& pins, uint32_t consumer) {
  return pins.Find(PinSlot::HashOf(consumer, 7, 0),
                   [&](const PinSlot& slot) { return slot.consumer == consumer; });
}

bool ErasePin(CowSlots<PinSlot>& pins, uint32_t consumer) {
  return pins.Erase(PinSlot::HashOf(consumer, 7, 0),
                    [&](const PinSlot& slot) { return slot.consumer == consumer; });
}

TEST(CowSlotsTest, AgreesWithAMapThroughFreezes) {
  std::mt19937 random(1);
  CowSlots<PinSlot> pins;
  std::map<uint32_t, uint16_t> model;
  std::vector<std::pair<CowSlots<PinSlot>, std::map<uint32_t, uint16_t>>> frozen;
  for (int step = 0; step < 60000; ++step) {
    // Few consumers, so that the same slots are put, replaced and erased.
    const uint32_t consumer = 1 + random() % 20000;
    if (random() % 3 == 0) {
      EXPECT_EQ(ErasePin(pins, consumer), model.erase(consumer) == 1);
    } else {
      const auto expression = static_cast<uint16_t>(random());
      EXPECT_EQ(PutPin(pins, consumer, expression), !model.contains(consumer));
      model[consumer] = expression;
    }
    if (step % 10000 == 0) frozen.emplace_back(pins.Freeze(), model);
  }
  frozen.emplace_back(pins.Freeze(), model);
  for (const auto& [slots, wanted] : frozen) {
    EXPECT_EQ(slots.size(), wanted.size());
    for (uint32_t consumer = 1; consumer <= 20000; ++consumer) {
      const auto it = wanted.find(consumer);
      const PinSlot* found = FindPin(slots, consumer);
      ASSERT_EQ(found != nullptr, it != wanted.end());
      if (found != nullptr) {
        EXPECT_EQ(found->expression, it->second);
      }
    }
  }
}

TEST(CowSlotsTest, AChangeCopiesOnePageOnly) {
  CowSlots<PinSlot> pins;
  for (uint32_t i = 1; i <= 100000; ++i) PutPin(pins, i, 0);
  const CowSlots<PinSlot> before = pins.Freeze();
  PutPin(pins, 5000, 9);
  EXPECT_EQ(pins.CopiedSince(before), 2u) << "the page, and the group that it is in";
  EXPECT_EQ(FindPin(before, 5000)->expression, 0);
  EXPECT_EQ(FindPin(pins, 5000)->expression, 9);
}

TEST(CowSlotsTest, APinCostsFewBytes) {
  CowSlots<PinSlot> pins;
  for (uint32_t i = 1; i <= 1000000; ++i) PutPin(pins, i, 0);
  EXPECT_LE(pins.MemoryBytes() / pins.size(), 24u);
}

TEST(CowNamesTest, AgreesWithAMapThroughFreezes) {
  struct Record {
    uint32_t id;
    std::string text;
  };
  using Model = std::map<std::pair<char, std::string>, Record>;
  std::mt19937 random(2);
  CowNames names;
  Model model;
  std::vector<std::pair<CowNames, Model>> frozen;
  for (int step = 0; step < 60000; ++step) {
    const char kind = random() % 2 == 0 ? 'n' : 'h';
    const std::string name = std::to_string(random() % 20000);
    if (random() % 3 == 0) {
      EXPECT_EQ(names.Erase(kind, name), model.erase({kind, name}) == 1);
    } else {
      const std::string text(random() % 3 * 40, static_cast<char>('a' + random() % 26));
      names.Put(kind, {static_cast<uint32_t>(step), 7, name, text});
      model[{kind, name}] = {static_cast<uint32_t>(step), text};
    }
    if (step % 10000 == 0) frozen.emplace_back(names.Freeze(), model);
  }
  frozen.emplace_back(names.Freeze(), model);
  for (const auto& [copy, wanted] : frozen) {
    EXPECT_EQ(copy.size(), wanted.size());
    for (int i = 0; i < 20000; ++i) {
      for (const char kind : {'n', 'h'}) {
        const std::string name = std::to_string(i);
        const auto it = wanted.find({kind, name});
        const auto found = copy.Find(kind, name);
        ASSERT_EQ(found.has_value(), it != wanted.end());
        if (!found) continue;
        EXPECT_EQ(found->id, it->second.id);
        EXPECT_EQ(found->value, 7u);
        EXPECT_EQ(found->name, name);
        EXPECT_EQ(found->text, it->second.text);
      }
    }
  }
}

TEST(CowNamesTest, LongAndEmptyStrings) {
  CowNames names;
  const std::string longest(65535, 'x');
  names.Put('n', {1, 2, "", ""});
  names.Put('n', {3, 4, longest, longest});
  names.Put('n', {5, 6, "a", longest});
  EXPECT_EQ(names.Find('n', "")->id, 1u);
  EXPECT_EQ(names.Find('n', longest)->text, longest);
  EXPECT_EQ(names.Find('n', "a")->text, longest);
  EXPECT_FALSE(names.Find('h', "").has_value());
}

TEST(CowListTest, AgreesWithAMapThroughFreezes) {
  std::mt19937 random(3);
  CowList<int> list;
  std::map<uint32_t, int> model;
  std::vector<std::pair<CowList<int>, std::map<uint32_t, int>>> frozen;
  for (int step = 1; step <= 20000; ++step) {
    // The first few pages have many, the last ones one or none.
    const uint32_t number = random() % (step % 2 == 0 ? 50 : 10000);
    list.Put(number, step);
    model[number] = step;
    if (step % 5000 == 0) frozen.emplace_back(list.Freeze(), model);
  }
  frozen.emplace_back(list.Freeze(), model);
  for (const auto& [copy, wanted] : frozen) {
    for (uint32_t number = 0; number < 10000; ++number) {
      const int* found = copy.Find(number);
      const auto it = wanted.find(number);
      ASSERT_EQ(found == nullptr ? 0 : *found, it == wanted.end() ? 0 : it->second) << number;
    }
    size_t values = 0;
    copy.ForEach([&values](int value) { values += value != 0 ? 1 : 0; });
    EXPECT_EQ(values, wanted.size());
  }
}

TEST(CowListTest, AChangeCopiesOnePageOnly) {
  CowList<int> list;
  for (uint32_t number = 0; number < 100000; ++number) list.Put(number, 1);
  const CowList<int> before = list.Freeze();
  list.Put(5000, 2);
  EXPECT_EQ(list.CopiedSince(before), 2u);
  EXPECT_EQ(*before.Find(5000), 1);
  EXPECT_EQ(*list.Find(5000), 2);
}

}  // namespace
}  // namespace pinion::route
