#include "clients/cli/table.h"

#include "gtest/gtest.h"

namespace pinion::cli {
namespace {

TEST(Table, AlignsByWhatATerminalShows) {
  Table table({"NAME", "N", "LAST"});
  EXPECT_TRUE(table.empty());
  table.Add({"Straße", "1", "x"});
  table.Add({"a", "1000", ""});
  EXPECT_FALSE(table.empty());
  EXPECT_EQ(table.Render(),
            "NAME    N     LAST\n"
            "Straße  1     x\n"
            "a       1000  -\n");
}

TEST(Table, WhatOthersWroteCannotMoveTheCursor) {
  Table table({"A"});
  table.Add({"evil\x1b[2J\nrow\x7f"});
  EXPECT_EQ(table.Render(), "A\nevil?[2J?row?\n");
}

TEST(Fields, LeavesOutWhatIsEmpty) {
  EXPECT_EQ(RenderFields({{"name", "x"}, {"nothing", ""}, {"a longer", "y"}}),
            "name:     x\n"
            "a longer: y\n");
}

}  // namespace
}  // namespace pinion::cli
