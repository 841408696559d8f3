#include "clients/cli/settings.h"

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "clients/cli/flags.h"
#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"

namespace pinion::cli {
namespace {

using ::testing::HasSubstr;
using Variables = std::map<std::string, std::string>;

// Contexts prod and test, of which prod is in use.
command::v1::Contexts TwoContexts() {
  command::v1::Contexts contexts;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(
      R"pb(
        current: "prod"
        contexts {
          name: "prod"
          registry: "https://prod:8081"
          actor: "ann"
          token_file: "/prod.token"
          tls_ca: "/prod.pem"
        }
        contexts { name: "test" registry: "test:8081" }
      )pb",
      &contexts));
  return contexts;
}

struct Case {
  const char* why;
  std::string flags;  // a Context as text
  std::optional<std::string> context_flag;
  Variables variables;
  std::string expected;
};

std::string Text(const Settings& settings) {
  const dial::Credentials& shown = settings.credentials;
  std::string text = absl::StrJoin(settings.addresses, ",");
  const auto add = [&text](absl::string_view name, absl::string_view value) {
    if (!value.empty()) absl::StrAppend(&text, " ", name, "=", value);
  };
  add("context", settings.context);
  add("tls", shown.tls ? "yes" : "");
  add("ca", shown.trusted_ca);
  add("file", shown.token_file);
  add("token", shown.token);
  add("actor", settings.actor);
  return text;
}

Sayings SayingsOf(const Case& c) {
  Sayings sayings = ReadVariables([&c](const char* name) {
    const auto found = c.variables.find(name);
    return found == c.variables.end() ? std::nullopt : std::optional<std::string>(found->second);
  });
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(c.flags, &sayings.flags));
  sayings.context_flag = c.context_flag;
  return sayings;
}

void ExpectAll(const std::vector<Case>& cases) {
  for (const Case& c : cases) {
    const absl::StatusOr<Settings> settings = Resolve(SayingsOf(c), TwoContexts());
    ASSERT_TRUE(settings.ok()) << c.why << ": " << settings.status();
    EXPECT_EQ(Text(*settings), c.expected) << c.why;
  }
}

const char kProd[] = "prod:8081 context=prod tls=yes ca=/prod.pem file=/prod.token actor=ann";

TEST(ResolveTest, WhatIsSaidNearestCounts) {
  ExpectAll({
      {"the context in use", "", {}, {}, kProd},
      {"named by a variable", "", {}, {{"PINION_CONTEXT", "test"}}, "test:8081 context=test"},
      {"named on the line", "", "prod", {{"PINION_CONTEXT", "test"}}, kProd},
      {"none at all", "", "", {{"PINION_CONTEXT", "test"}}, "127.0.0.1:8081"},
      {"an empty variable says nothing", "", {}, {{"PINION_REGISTRY", ""}}, kProd},
      {"a variable is nearer than the context in use",
       "",
       {},
       {{"PINION_ACTOR", "bob"}},
       "prod:8081 context=prod tls=yes ca=/prod.pem file=/prod.token actor=bob"},
      {"an option is nearer than a variable",
       "actor: 'eve'",
       {},
       {{"PINION_ACTOR", "bob"}},
       "prod:8081 context=prod tls=yes ca=/prod.pem file=/prod.token actor=eve"},
      {"an empty option takes a value away",
       "token_file: '' tls_ca: ''",
       {},
       {},
       "prod:8081 context=prod tls=yes actor=ann"},
      {"the context named on the line is nearer than variables",
       "",
       "prod",
       {{"PINION_REGISTRY", "there:1"}, {"PINION_TOKEN", "secret"}, {"PINION_ACTOR", "bob"}},
       kProd},
      {"what that context does not say, variables say",
       "",
       "test",
       {{"PINION_ACTOR", "bob"}, {"PINION_TOKEN_FILE", "/v"}},
       "test:8081 context=test file=/v actor=bob"},
      {"a variable's token instead of the context's file",
       "",
       {},
       {{"PINION_TOKEN", "secret"}},
       "prod:8081 context=prod tls=yes ca=/prod.pem token=secret actor=ann"},
      {"the option's file instead of a variable's token",
       "token_file: '/f'",
       {},
       {{"PINION_TOKEN", "secret"}},
       "prod:8081 context=prod tls=yes ca=/prod.pem file=/f actor=ann"},
  });
}

TEST(ResolveTest, NoTokenGoesWhereItWasNotMeantToGo) {
  ExpectAll({
      {"another registry by an option", "registry: 'there:1'", {}, {}, "there:1"},
      {"another registry by an option, and a context by a variable",
       "registry: 'there:1'",
       {},
       {{"PINION_CONTEXT", "prod"}},
       "there:1"},
      {"another registry by a variable", "", {}, {{"PINION_REGISTRY", "there:1"}}, "there:1"},
      {"another registry by a variable, and a context by another",
       "",
       {},
       {{"PINION_REGISTRY", "there:1"}, {"PINION_CONTEXT", "prod"}},
       "there:1"},
      {"both on the line go together",
       "registry: 'there:1'",
       "prod",
       {},
       "there:1 context=prod tls=yes ca=/prod.pem file=/prod.token actor=ann"},
      {"replicas, and a socket", "registry: 'https://a:1,b:2'", {}, {}, "a:1,b:2 tls=yes"},
      {"a socket needs no TLS",
       "registry: '/run/x.sock' tls_ca: '/ca'",
       {},
       {},
       "unix:/run/x.sock ca=/ca"},
  });
}

TEST(ResolveTest, NamesTheContextsThatThereAre) {
  const Case unknown{"", "", "prd", {}, ""};
  const absl::Status status = Resolve(SayingsOf(unknown), TwoContexts()).status();
  EXPECT_TRUE(IsUsageError(status));
  EXPECT_THAT(status.message(), HasSubstr("no context \"prd\" (did you mean \"prod\"?); there are: "
                                          "prod, test"));
  EXPECT_THAT(Resolve(SayingsOf(unknown), {}).status().message(),
              HasSubstr("pinion context set prd --registry"));
}

}  // namespace
}  // namespace pinion::cli
