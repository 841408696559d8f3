#include "clients/cli/flags.h"

#include <memory>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"

namespace pinion::cli {
namespace {

using ::testing::ElementsAre;

TEST(CommandTest, DescribesWhatWasDeclared) {
  CommandLine line("pinion", "1.2.3", "The program.");
  bool dry_run = false;
  std::string category;
  std::vector<std::string> names;
  Command& pin = line.root().Sub("pin", "Pins");
  Command& set = pin.Sub("set", "Set one");
  set.Arguments("NAME", &names, 0, 3, "Of what");
  set.Choice("-c,--category", {"A", "B"}, &category, "Which");
  set.Option("--also", "NAME", &names, "More");
  set.Flag("--dry-run", &dry_run, "Only say");
  set.Examples("A remark.\n  pinion pin set x\n  pinion pin set y");
  set.Run([] { return absl::OkStatus(); });
  Command& hidden = line.root().Sub("secret", "For programs");
  hidden.Hide();

  const command::v1::Command program = line.root().Describe();
  ASSERT_EQ(program.commands_size(), 1) << "what is hidden is not listed";
  EXPECT_FALSE(program.commands(0).runs());
  EXPECT_THAT(program.commands(0).examples(), ElementsAre("pinion pin set x"));
  command::v1::Command expected;
  ASSERT_TRUE(google::protobuf::TextFormat::ParseFromString(
      R"pb(
        name: "set"
        path: "pinion pin set"
        help: "Set one"
        notes: "A remark."
        examples: "pinion pin set x"
        examples: "pinion pin set y"
        runs: true
        arguments { name: "NAME" help: "Of what" repeated: true }
        options {
          short_name: "-c"
          long_name: "--category"
          value: "A|B"
          help: "Which"
          choices: "A"
          choices: "B"
        }
        options { long_name: "--also" value: "NAME" help: "More" repeated: true }
        options { long_name: "--dry-run" help: "Only say" }
      )pb",
      &expected));
  EXPECT_EQ(program.commands(0).commands(0).DebugString(), expected.DebugString());
}

}  // namespace
}  // namespace pinion::cli
