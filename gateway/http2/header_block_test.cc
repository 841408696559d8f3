#include "gateway/http2/header_block.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "tests/testing/random.h"

namespace pinion::http2 {
namespace {

TEST(HeaderBlock, KnowsTheNamesOfItsFields) {
  HeaderBlock block;
  block.Add(":path", "/a.B/C");
  block.Add("x-of-mine", "1");
  EXPECT_EQ(block.Find(HeaderName::kPath)->value, "/a.B/C");
  EXPECT_EQ(block.fields()[1].name_id, HeaderName::kOther);
  EXPECT_EQ(block.Find(HeaderName::kStatus), nullptr);
  EXPECT_EQ(block.list_bytes(), 5 + 6 + 32 + 9 + 1 + 32u);
}

// Of all sizes, so that chunks are filled, kept, found too small, and dropped.
TEST(HeaderBlock, HoldsCopiesOverManyLives) {
  testing::Random random(5);
  HeaderBlock block;
  for (int life = 0; life < 2000; ++life) {
    std::vector<std::pair<std::string, std::string>> model;
    for (size_t i = random.Below(12); i > 0; --i) {
      const size_t bytes = random.Below(random.OneIn(8) ? 5000 : 200);
      const char letter = static_cast<char>('a' + random.Below(26));
      model.emplace_back(random.OneIn(2) ? "te" : std::string(1, letter),
                         std::string(bytes, letter));
      std::string name = model.back().first, value = model.back().second;
      block.Add(name, value);
      name.assign(name.size(), '?');
      value.assign(value.size(), '?');
    }
    ASSERT_EQ(block.fields().size(), model.size());
    for (size_t i = 0; i < model.size(); ++i) {
      ASSERT_EQ(block.fields()[i].name, model[i].first);
      ASSERT_EQ(block.fields()[i].value, model[i].second);
    }
    block.Clear();
    ASSERT_TRUE(block.fields().empty());
    ASSERT_EQ(block.list_bytes(), 0u);
  }
}

TEST(HeaderBlock, ALikeBlockFindsItsMemoryAgain) {
  HeaderBlock block;
  const std::string token(934, 't');
  const auto fill = [&] {
    block.Add("x-of-mine", std::string(400, 'v'));
    block.Add("authorization", token);
    return std::pair(block.fields()[0].value.data(), block.fields()[1].value.data());
  };
  const auto first = fill();
  block.Clear();
  EXPECT_EQ(fill(), first);
}

}  // namespace
}  // namespace pinion::http2
