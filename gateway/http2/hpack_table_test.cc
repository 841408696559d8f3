#include "gateway/http2/hpack_table.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <string>

#include "absl/strings/str_cat.h"
#include "tests/testing/random.h"

namespace pinion::http2 {
namespace {

std::string Show(const HpackTable& table) {
  std::string text;
  for (size_t age = 0; age < table.count(); ++age) {
    const HeaderField field = table.At(age);
    absl::StrAppend(&text, age == 0 ? "" : " ", field.name, "=", field.value);
  }
  return text;
}

TEST(HpackTable, KeepsTheNewestThatFit) {
  HpackTable table;
  table.SetBytesMax(3 * 34);
  for (const char* name : {"a", "b", "c", "d"}) table.Insert({name, "1"});
  EXPECT_EQ(Show(table), "d=1 c=1 b=1");
  table.SetBytesMax(2 * 34 + 33);
  EXPECT_EQ(Show(table), "d=1 c=1");
  table.Insert({"e", "22"});
  EXPECT_EQ(Show(table), "e=22 d=1");
  table.SetBytesMax(0);
  table.Insert({"", ""});
  EXPECT_EQ(Show(table), "");
}

TEST(HpackTable, AFieldLargerThanTheTableEmptiesIt) {
  HpackTable table;
  table.Insert({"a", "1"});
  table.Insert({"b", std::string(4096 - 33, 'x')});
  EXPECT_EQ(table.count(), 1u) << "just as large as the table";
  table.Insert({"b", std::string(4096 - 32, 'x')});
  EXPECT_EQ(table.count(), 0u);
}

TEST(HpackTable, TheNameMayBeOfAnEntryThatGoes) {
  HpackTable table;
  table.SetBytesMax(40 + 34);
  table.Insert({"a-name-1", ""});
  for (int i = 0; i < 1000; ++i) {
    const HeaderField oldest = table.At(table.count() - 1);
    table.Insert({oldest.name, "12345678901234567890123456"});
    ASSERT_EQ(Show(table), "a-name-1=12345678901234567890123456");
  }
}

HeaderField Hashed(absl::string_view name, absl::string_view value, uint32_t hash) {
  HeaderField field = {name, value};
  field.hash = hash;
  return field;
}

TEST(HpackTable, AFieldMayBeEmpty) {
  HpackTable table;
  table.Insert(Hashed("", "", 1));
  EXPECT_EQ(table.Find(Hashed("", "", 1)), 0u);
  EXPECT_EQ(table.Find(Hashed("", "1", 1)), std::nullopt);
}

TEST(HpackTable, FindsByHashAndText) {
  HpackTable table;
  table.Insert(Hashed("a", "1", 7));
  table.Insert(Hashed("b", "1", 7));
  table.Insert(Hashed("c", "1", 9));
  table.Insert(Hashed("d", "1", 256 + 9));
  EXPECT_EQ(table.Find(Hashed("a", "1", 7)), 3u);
  EXPECT_EQ(table.Find(Hashed("b", "1", 7)), 2u);
  EXPECT_EQ(table.Find(Hashed("c", "1", 9)), 1u);
  EXPECT_EQ(table.Find(Hashed("d", "1", 256 + 9)), 0u) << "another hash with the same last byte";
  EXPECT_EQ(table.Find(Hashed("b", "1", 9)), std::nullopt);
  EXPECT_EQ(table.Find(Hashed("a", "2", 7)), std::nullopt);
  table.SetBytesMax(70);
  EXPECT_EQ(table.Find(Hashed("a", "1", 7)), std::nullopt);
  EXPECT_EQ(table.Find(Hashed("c", "1", 9)), 1u);
}

TEST(HpackTable, BehavesAsAListOfStrings) {
  testing::Random random(1);
  HpackTable table;
  std::deque<std::pair<std::string, std::string>> model;  // newest first
  size_t bytes = 0;
  for (int round = 0; round < 20000; ++round) {
    const std::string name(random.Below(20), static_cast<char>('a' + round % 26));
    const std::string value(random.OneIn(20) ? random.Below(4096) : random.Below(60), 'v');
    const size_t cost = name.size() + value.size() + 32;
    while (bytes + cost > 4096 && !model.empty()) {
      bytes -= model.back().first.size() + model.back().second.size() + 32;
      model.pop_back();
    }
    if (cost <= 4096) {
      model.emplace_front(name, value);
      bytes += cost;
    }
    // Few hashes, so that many entries share one.
    table.Insert(Hashed(name, value, 1 + name.size()));
    ASSERT_EQ(table.count(), model.size());
    if (model.empty()) continue;
    const size_t age = random.Below(model.size());
    ASSERT_EQ(table.At(age).name, model[age].first);
    ASSERT_EQ(table.At(age).value, model[age].second);
    const auto& sought = random.OneIn(4) ? std::pair(name, value + "?") : model[age];
    const auto first = std::find(model.begin(), model.end(), sought);
    const std::optional<size_t> found =
        table.Find(Hashed(sought.first, sought.second, 1 + sought.first.size()));
    ASSERT_EQ(found.value_or(model.size()), static_cast<size_t>(first - model.begin()));
  }
}

}  // namespace
}  // namespace pinion::http2
