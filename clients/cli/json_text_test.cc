#include "clients/cli/json_text.h"

#include <string>

#include "config/yaml_tree.h"
#include "gtest/gtest.h"

namespace pinion::cli {
namespace {

TEST(JsonToYaml, WritesOneEntryALine) {
  struct Case {
    const char* json;
    const char* yaml;
  };
  for (const Case& c : {
           Case{R"({})", "{}\n"},
           Case{R"([])", "[]\n"},
           Case{R"("text")", "text\n"},
           Case{R"({"a":1,"b":true,"c":null})", "a: 1\nb: true\nc: null\n"},
           Case{R"({"a":{"b":{"c":[]}},"d":{}})", "a:\n  b:\n    c: []\nd: {}\n"},
           Case{R"({"list":[1,{"a":1,"b":[2]},[3,4],{}]})",
                "list:\n  - 1\n  - a: 1\n    b:\n      - 2\n  - - 3\n    - 4\n  - {}\n"},
           Case{"[\n {\n  \"rule\": \"A_B\"\n }\n]\n", "- rule: A_B\n"},
           // Nobody may take a version for a number, a name for a truth, a time for a time.
           Case{R"(["1.0","1","true","No","null","~","","a b","^1","@stable","a:b","#a","-"])",
                "- \"1.0\"\n- \"1\"\n- \"true\"\n- \"No\"\n- \"null\"\n- \"~\"\n- \"\"\n"
                "- \"a b\"\n- \"^1\"\n- \"@stable\"\n- \"a:b\"\n- \"#a\"\n- \"-\"\n"},
           Case{R"(["/acme.A/Get","db/people","_x","2027-01-15T08:00:00Z"])",
                "- /acme.A/Get\n- db/people\n- _x\n- \"2027-01-15T08:00:00Z\"\n"},
           Case{R"(["\u003e=1 \u003c2","\"\\","\\u003c"])",
                "- \">=1 <2\"\n- \"\\\"\\\\\"\n- \"\\\\u003c\"\n"},
       }) {
    EXPECT_EQ(JsonToYaml(c.json), c.yaml) << c.json;
  }
}

TEST(JsonToYaml, IsReadBackAsTheSame) {
  const std::string yaml = JsonToYaml(
      R"({"a":{"true":"yes","list":["1.0",{"k":"x\ny\u00e9\"\\"}]},"empty":"","n":-1.5})");
  config::ErrorList errors("test.yaml");
  const config::NodePtr root = config::ParseYaml(yaml, errors);
  ASSERT_NE(root, nullptr) << errors.ToStatus() << "\n" << yaml;
  const config::Node& a = *root->entries[0].value;
  EXPECT_EQ(a.entries[0].key, "true");
  EXPECT_EQ(a.entries[0].value->scalar, "yes");
  EXPECT_TRUE(a.entries[0].value->quoted);
  const config::Node& list = *a.entries[1].value;
  EXPECT_EQ(list.items[0]->scalar, "1.0");
  EXPECT_EQ(list.items[1]->entries[0].value->scalar, "x\ny\u00e9\"\\");
  EXPECT_EQ(root->entries[1].value->scalar, "");
  EXPECT_EQ(root->entries[2].value->scalar, "-1.5");
}

}  // namespace
}  // namespace pinion::cli
