#include "clients/cli/completion.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"

namespace pinion::cli {
namespace {

using Named = Completion::Named;

command::v1::Command Program() {
  command::v1::Command program;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(
      R"pb(
        name: "pinion"
        options { long_name: "--help" short_name: "-h" }
        options {
          long_name: "--output"
          short_name: "-o"
          value: "table|json"
          choices: "table"
          choices: "json"
        }
        options { long_name: "--registry" value: "ADDRESS" }
        options { long_name: "--context" value: "CONTEXT" }
        commands {
          name: "pin"
          help: "Pins"
          commands {
            name: "set"
            help: "Set one"
            arguments { name: "CONSUMER" }
            arguments { name: "SERVICE" }
            arguments { name: "VERSION" }
            options { long_name: "--reason" value: "TEXT" }
            options { long_name: "--dry-run" }
          }
          commands { name: "unset" }
          commands { name: "show" }
        }
        commands {
          name: "gateway"
          runs: true
          options { long_name: "--config" value: "FILE" }
          commands { name: "list" }
        }
        commands {
          name: "audit"
          arguments { name: "DIRECTORY" repeated: true }
        }
      )pb",
      &program));
  return program;
}

std::string Offered(const Completion& completion) {
  return absl::StrJoin(completion.words, " ",
                       [](std::string* out, const Completion::Word& one) { *out += one.word; });
}

TEST(CompleteTest, OffersWhatMayStandThere) {
  struct Case {
    const char* line;  // words with blanks between; the last is being typed
    const char* words;
    Named named = Named::kNothing;
    const char* service = "";
  };
  for (const Case& c : {
           Case{"", "pin gateway audit"},
           Case{"p", "pin"},
           Case{"x", ""},
           Case{"pin ", "set unset show"},
           Case{"pin s", "set show"},
           Case{"--output json pin s", "set show"},
           Case{"-o json pin s", "set show"},
           Case{"-o ", "table json"},
           Case{"pin list --output t", "table"},
           Case{"--output=j", "--output=json"},
           Case{"--unknown=j", ""},
           Case{"pin set --d", "--dry-run"},
           Case{"pin set --re", "--reason --registry"},
           Case{"pin set ", "", Named::kConsumer},
           Case{"pin set billing ", "", Named::kService},
           Case{"pin set --dry-run billing --reason x addressbook ", "", Named::kVersion,
                "addressbook"},
           Case{"pin set billing addressbook 1 ", "", Named::kNothing, "addressbook"},
           Case{"pin set --reason ", ""},
           Case{"gateway l", "list"},
           Case{"gateway --config ", "", Named::kFile},
           Case{"gateway --config=g", "", Named::kFile},
           Case{"audit a b ", "", Named::kDirectory},
           Case{"--context ", "", Named::kContext},
           Case{"pin set -- --", "", Named::kConsumer},
       }) {
    const std::vector<std::string> words = absl::StrSplit(c.line, ' ');
    const Completion completion = Complete(Program(), words);
    EXPECT_EQ(Offered(completion), c.words) << c.line;
    EXPECT_EQ(completion.named, c.named) << c.line;
    EXPECT_EQ(completion.service, c.service) << c.line;
  }
}

TEST(CompleteTest, KnowsWhatTheLineSaysOfTheRegistry) {
  const Completion completion = Complete(Program(), {"--registry", "there:1", "pin", "set",
                                                     "--context=prod", "--registry=here:2", ""});
  EXPECT_EQ(completion.said.registry(), "here:2");
  EXPECT_EQ(completion.context, "prod");
  EXPECT_EQ(Complete(Program(), {}).words.size(), 0u);
}

TEST(CompleteTest, SplitsAnOptionFromItsValue) {
  const Completion completion = Complete(Program(), {"gateway", "--config=gate"});
  EXPECT_EQ(completion.before, "--config=");
  EXPECT_EQ(completion.typed, "gate");
}

}  // namespace
}  // namespace pinion::cli
