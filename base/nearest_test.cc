#include "base/nearest.h"

#include <gtest/gtest.h>

namespace pinion {
namespace {

TEST(EditDistance, CountsEdits) {
  EXPECT_EQ(EditDistance("", ""), 0u);
  EXPECT_EQ(EditDistance("", "abc"), 3u);
  EXPECT_EQ(EditDistance("abc", ""), 3u);
  EXPECT_EQ(EditDistance("workers", "workers"), 0u);
  EXPECT_EQ(EditDistance("workers", "wrokers"), 1u);
  EXPECT_EQ(EditDistance("kitten", "sitting"), 3u);
}

TEST(Nearest, FindsLikelySlips) {
  const std::vector<std::string> fields = {"address", "name", "port_value", "consumer_identity"};
  struct Case {
    std::string_view word;
    std::string_view meant;  // empty: none
  };
  for (const Case& c : {Case{"adress", "address"},
                        {"portValue", "port_value"},
                        {"PORT-VALUE", "port_value"},
                        {"nmae", "name"},
                        {"consumer_identiy", "consumer_identity"},
                        {"zone", ""},
                        {"x", ""},
                        {"", ""},
                        {"an", ""}}) {
    EXPECT_EQ(Nearest(c.word, fields).value_or(""), c.meant) << c.word;
  }
  EXPECT_EQ(Nearest(std::string(100'000, 'a'), fields), std::nullopt);
}

TEST(DidYouMean, IsEmptyWithoutANeighbour) {
  EXPECT_EQ(DidYouMean("nam", {"name"}), " (did you mean \"name\"?)");
  EXPECT_EQ(DidYouMean("zebra", {"name"}), "");
}

}  // namespace
}  // namespace pinion
