#include "examples/addressbook/db/address_lines.h"

#include <gtest/gtest.h>

namespace addressbook {
namespace {

struct Case {
  const char* address;
  AddressLines lines;
};

class AddressLinesTest : public testing::TestWithParam<Case> {};

TEST_P(AddressLinesTest, SplitsAndJoinsToTheSame) {
  EXPECT_EQ(SplitAddress(GetParam().address), GetParam().lines);
  EXPECT_EQ(JoinAddress(GetParam().lines), GetParam().address);
}

INSTANTIATE_TEST_SUITE_P(
    Addresses, AddressLinesTest,
    testing::Values(Case{"", {"", ""}},  //
                    Case{"12 Elm Street", {"12 Elm Street", ""}},
                    Case{"12 Elm Street\nYork", {"12 Elm Street", "York"}},
                    Case{"12 Elm Street, Flat 3\nYork", {"12 Elm Street, Flat 3", "York"}},
                    Case{"\nYork", {"", "York"}}, Case{"a\nb\nc", {"a", "b\nc"}},
                    Case{"Straße\n北京", {"Straße", "北京"}}));

// 2.0.0 cannot say "an empty second line"; 1.0.0's text keeps it, because only a write by 2.0.0
// changes that text.
TEST(AddressLines, ATrailingNewlineIsNoSecondLine) {
  EXPECT_EQ(SplitAddress("12 Elm Street\n"), (AddressLines{"12 Elm Street", ""}));
}

}  // namespace
}  // namespace addressbook
