#include "registry/store/store.h"

#include "gtest/gtest.h"

namespace pinion::store {
namespace {

TEST(KeyRange, PrefixEndsBehindItsLastKey) {
  const struct {
    std::string prefix;
    std::string end;
  } kCases[] = {{"a", "b"}, {"pin|", "pin}"}, {"a\xff", "b"}, {std::string("a\0", 2), "a\x01"}};
  for (const auto& c : kCases) {
    const KeyRange range = KeyRange::Prefix(c.prefix);
    EXPECT_EQ(range.end, c.end);
    EXPECT_TRUE(range.Contains(c.prefix));
    EXPECT_TRUE(range.Contains(c.prefix + "\xff\xff"));
    EXPECT_FALSE(range.Contains(c.end));
  }
  EXPECT_TRUE(KeyRange::Single("a").Contains("a"));
  EXPECT_FALSE(KeyRange::Single("a").Contains("aa"));
}

}  // namespace
}  // namespace pinion::store
