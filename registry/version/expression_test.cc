#include "registry/version/expression.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/str_split.h"

namespace pinion::version {
namespace {

using routing::v1::DATE;
using routing::v1::INTEGER;
using routing::v1::K8S;
using routing::v1::SEMVER;
using ::testing::HasSubstr;
using Kind = Expression::Kind;

struct Match {
  Scheme scheme;
  std::string expression;
  std::vector<std::string> matches;
  std::vector<std::string> others;
};

void ExpectMatches(const Match& c) {
  SCOPED_TRACE(c.expression);
  const auto expression = Expression::Parse(c.scheme, c.expression);
  ASSERT_TRUE(expression.ok()) << expression.status();
  const auto again = Expression::Parse(c.scheme, expression->canonical());
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->canonical(), expression->canonical());
  EXPECT_EQ(again->kind(), expression->kind());
  for (const bool wanted : {true, false}) {
    for (const std::string& text : wanted ? c.matches : c.others) {
      const auto name = VersionName::Parse(c.scheme, text);
      ASSERT_TRUE(name.ok()) << name.status();
      EXPECT_EQ(expression->Matches(*name), wanted) << text;
      EXPECT_EQ(again->Matches(*name), wanted) << text << " by " << expression->canonical();
    }
  }
}

// The meaning of each form is npm's (node-semver's README), prereleases included.
TEST(ExpressionTest, SemverRanges) {
  const Match cases[] = {
      {SEMVER,
       "^1.2.3",
       {"1.2.3", "1.2.4", "1.99.0"},
       {"1.2.2", "2.0.0", "2.0.0-rc.1", "1.3.0-rc.1"}},
      {SEMVER, "^0.2.3", {"0.2.3", "0.2.9"}, {"0.2.2", "0.3.0", "1.0.0"}},
      {SEMVER, "^0.0.3", {"0.0.3"}, {"0.0.2", "0.0.4", "0.1.0"}},
      {SEMVER, "^0.0.3-beta", {"0.0.3-beta", "0.0.3-pr.2", "0.0.3"}, {"0.0.3-alpha", "0.0.4"}},
      {SEMVER, "^0.0", {"0.0.0", "0.0.9"}, {"0.1.0"}},
      {SEMVER, "^0.0.x", {"0.0.0", "0.0.9"}, {"0.1.0"}},
      {SEMVER, "^0.1", {"0.1.0", "0.1.9"}, {"0.0.9", "0.2.0"}},
      {SEMVER, "^0", {"0.0.0", "0.9.9"}, {"1.0.0", "1.0.0-rc.1"}},
      {SEMVER, "^0.x", {"0.0.0", "0.9.9"}, {"1.0.0"}},
      {SEMVER, "^1", {"1.0.0", "1.9.9"}, {"0.9.9", "2.0.0", "1.0.0-rc.1", "2.0.0-0"}},
      {SEMVER, "^1.x", {"1.0.0", "1.9.9"}, {"2.0.0"}},
      {SEMVER, "^1.2", {"1.2.0", "1.9.9"}, {"1.1.9", "2.0.0"}},
      {SEMVER, "^1.2.x", {"1.2.0", "1.9.9"}, {"1.1.9", "2.0.0"}},
      {SEMVER,
       "^1.2.3-beta.2",
       {"1.2.3-beta.2", "1.2.3-beta.4", "1.2.3", "1.3.0"},
       {"1.2.3-beta.1", "1.2.4-beta.2", "2.0.0-0"}},
      {SEMVER, "^*", {"0.0.0", "9.9.9"}, {"1.0.0-rc.1"}},
      {SEMVER, "~1.2.3", {"1.2.3", "1.2.9"}, {"1.2.2", "1.3.0", "1.3.0-0"}},
      {SEMVER, "~1.2", {"1.2.0", "1.2.9"}, {"1.1.9", "1.3.0"}},
      {SEMVER, "~1", {"1.0.0", "1.9.9"}, {"0.9.9", "2.0.0"}},
      {SEMVER, "~0.2.3", {"0.2.3", "0.2.9"}, {"0.3.0"}},
      {SEMVER, "~0", {"0.0.0", "0.9.9"}, {"1.0.0"}},
      {SEMVER, "~1.2.3-beta.2", {"1.2.3-beta.2", "1.2.3-rc", "1.2.4"}, {"1.2.4-beta.2", "1.3.0"}},
      {SEMVER, "*", {"0.0.0", "9.9.9"}, {"1.0.0-rc.1"}},
      {SEMVER, "x", {"0.0.0", "9.9.9"}, {"1.0.0-rc.1"}},
      {SEMVER, "1.x", {"1.0.0", "1.9.9"}, {"0.9.9", "2.0.0", "1.0.0-rc.1"}},
      {SEMVER, "1.X.*", {"1.0.0", "1.9.9"}, {"2.0.0"}},
      {SEMVER, "1.2.x", {"1.2.0", "1.2.9"}, {"1.1.9", "1.3.0"}},
      {SEMVER, "=1.2.x", {"1.2.0", "1.2.9"}, {"1.3.0"}},
      {SEMVER, "1.2.3 - 2.3.4", {"1.2.3", "2.3.4"}, {"1.2.2", "2.3.5"}},
      {SEMVER, "1.2 - 2.3.4", {"1.2.0", "2.3.4"}, {"1.1.9", "2.3.5"}},
      {SEMVER, "1.2 - 2.3", {"1.2.0", "2.3.9"}, {"1.1.9", "2.4.0"}},
      {SEMVER, "1.2.3 - 2", {"1.2.3", "2.9.9"}, {"3.0.0", "3.0.0-0"}},
      {SEMVER, "1.2.3 - *", {"1.2.3", "9.0.0"}, {"1.2.2"}},
      {SEMVER,
       "1.0.0-rc.1 - 1.0.0",
       {"1.0.0-rc.1", "1.0.0-rc.2", "1.0.0"},
       {"1.0.0-beta", "1.0.1"}},
      {SEMVER, ">=1.2 <2", {"1.2.0", "1.9.9"}, {"1.1.9", "2.0.0", "2.0.0-rc.1"}},
      {SEMVER, ">= 1.2   < 2", {"1.2.0", "1.9.9"}, {"2.0.0"}},
      {SEMVER, ">1", {"2.0.0", "3.0.0"}, {"1.0.0", "1.9.9"}},
      {SEMVER, ">1.2", {"1.3.0"}, {"1.2.0", "1.2.9"}},
      {SEMVER, ">1.2.3", {"1.2.4"}, {"1.2.3", "1.2.4-rc.1"}},
      {SEMVER,
       ">1.2.3-alpha.3",
       {"1.2.3-alpha.7", "1.2.3", "3.4.5"},
       {"3.4.5-alpha.9", "1.2.3-alpha.3"}},
      {SEMVER, ">=1", {"1.0.0", "2.0.0"}, {"0.9.9", "1.0.0-rc.1"}},
      {SEMVER, "<1", {"0.9.9"}, {"1.0.0", "1.0.0-rc.1"}},
      {SEMVER, "<1.2", {"1.1.9"}, {"1.2.0"}},
      {SEMVER, "<1.2.3", {"1.2.2"}, {"1.2.3", "1.2.3-rc.1"}},
      {SEMVER, "<=1", {"1.9.9"}, {"2.0.0", "2.0.0-0"}},
      {SEMVER, "<=1.2", {"1.2.9"}, {"1.3.0"}},
      {SEMVER, "<=1.2.3", {"1.2.3"}, {"1.2.4"}},
      {SEMVER, ">=1.2.3-alpha <1.2.3", {"1.2.3-alpha", "1.2.3-rc"}, {"1.2.3", "1.2.2-alpha"}},
      {SEMVER, "^1 || ^3.1", {"1.0.0", "3.1.0"}, {"2.0.0", "3.0.0", "4.0.0"}},
      {SEMVER, "1.2.3||2.0.0-rc.1", {"1.2.3", "2.0.0-rc.1"}, {"2.0.0", "2.0.0-rc.2"}},
      {SEMVER, "1.2.3 1.2.4", {}, {"1.2.3", "1.2.4"}},
      {SEMVER, "1.2.3", {"1.2.3"}, {"1.2.4", "1.2.3-rc.1"}},
      {SEMVER, "2.0.0-rc.1", {"2.0.0-rc.1"}, {"2.0.0", "2.0.0-rc.2"}},
  };
  for (const Match& c : cases) ExpectMatches(c);
}

TEST(ExpressionTest, OtherSchemes) {
  const Match cases[] = {
      {DATE, "2026-03-01", {"2026-03-01"}, {"2026-03-01.basil", "2026-03-02"}},
      {DATE,
       "<=2025-03-01",
       {"2025-03-01", "2025-03-01.acacia", "2024-01-01"},
       {"2025-03-02", "2025-02-01-preview"}},
      {DATE, "<2025-03-01", {"2025-02-28.acacia"}, {"2025-03-01", "2025-03-01.acacia"}},
      {DATE, ">2025-03-01", {"2025-03-02"}, {"2025-03-01.acacia", "2025-03-01"}},
      {DATE, ">=2025-03-01", {"2025-03-01", "2025-03-01.acacia"}, {"2025-02-28"}},
      {DATE, "<=2025-03-01.acacia", {"2025-03-01", "2025-03-01.acacia"}, {"2025-03-01.basil"}},
      {DATE, "*", {"2025-03-01", "2025-03-01.acacia"}, {"2025-03-01-preview"}},
      {DATE,
       "*.acacia",
       {"2024-09-30.acacia", "2025-01-01.acacia"},
       {"2025-01-01", "2025-01-01.basil"}},
      {DATE, "*.acacia <=2024-12-31", {"2024-09-30.acacia"}, {"2025-01-01.acacia", "2024-01-01"}},
      {DATE, "<=2025-02-01-preview", {"2025-02-01-preview", "2025-01-01"}, {"2025-02-01"}},
      {DATE,
       "2025-01-01 - 2025-02-01",
       {"2025-01-01", "2025-02-01.a"},
       {"2024-12-31", "2025-02-02"}},
      {DATE, "2025-01-01 || *.basil", {"2025-01-01", "2026-01-01.basil"}, {"2025-01-02"}},
      {K8S, "v1", {"v1"}, {"v2", "v1beta1"}},
      {K8S, "*", {"v1", "v1alpha1", "foo1"}, {}},
      {K8S, ">=v1", {"v1", "v2"}, {"v3beta1", "v2alpha1", "foo1"}},
      {K8S, ">=v1beta2", {"v1beta2", "v2beta1", "v1"}, {"v1beta1", "v9alpha1"}},
      {K8S, "<v2", {"v1", "v3beta1"}, {"v2", "v10"}},
      {K8S, "v1 - v2", {"v1", "v2"}, {"v3", "v1beta1"}},
      {INTEGER, "7", {"7"}, {"8"}},
      {INTEGER, ">=7 <9", {"7", "8"}, {"6", "9"}},
      {INTEGER, "3 - 5 || >100", {"3", "5", "101"}, {"2", "6", "100"}},
      {INTEGER, "*", {"0", "9"}, {}},
  };
  for (const Match& c : cases) ExpectMatches(c);
}

struct Bad {
  Scheme scheme;
  std::string expression;
  std::string says;
};

// "^1||^1||…", in 4 bytes each, of which the canonical form makes 6.
std::string ManyMajors(int count) {
  std::string text = "^1";
  for (int i = 1; i < count; ++i) text += "||^1";
  return text;
}

TEST(ExpressionTest, RefusesWithAdvice) {
  const Bad cases[] = {
      {SEMVER, "", "empty"},
      {SEMVER, "   ", "empty"},
      {SEMVER, "1", "write ^1 "},
      {SEMVER, "1.2", "write ^1.2 "},
      {SEMVER, "=1", "write ^1 "},
      {SEMVER, "1 || 2", "write ^1 "},
      {SEMVER, "v1", "without the v, such as ^1"},
      {SEMVER, "^v1.2", "without the v"},
      {SEMVER, "v1.2.3", "without the v"},
      {SEMVER, "latest", "not a SEMVER name"},
      {SEMVER, "1.2.3+b", "build part"},
      {SEMVER, ">=1.2, <2", "comma"},
      {SEMVER, "^1 ||", "one side"},
      {SEMVER, "|| ^1", "one side"},
      {SEMVER, "^1 | ^2", "not a SEMVER name"},
      {SEMVER, ">=", "nothing behind `>=`"},
      {SEMVER, "^", "nothing behind `^`"},
      {SEMVER, "==1.2.3", "unknown operator"},
      {SEMVER, "~>1.2", "unknown operator"},
      {SEMVER, "!1.2", "unknown operator"},
      {SEMVER, "=>1.2", "unknown operator"},
      {SEMVER, "1.2 -", "no version after"},
      {SEMVER, "- 1.2", "not a SEMVER name"},
      {SEMVER, "1.2-2.3", "not a SEMVER name or a part"},
      {SEMVER, "1 - 2 - 3", "not a SEMVER name"},
      {SEMVER, "1.x.3", "behind an x"},
      {SEMVER, "1.2.3.4", "not a SEMVER name or a part"},
      {SEMVER, "^1.2-rc", "not a SEMVER name or a part"},
      {SEMVER, "1.2.x-rc", "not a SEMVER name or a part"},
      {SEMVER, ">*", "no version"},
      {SEMVER, "^01", "leading zero"},
      {SEMVER, "@", "empty"},
      {SEMVER, "@Stable", "lower-case"},
      {SEMVER, "@stable || ^1", "channel name"},
      {SEMVER, "^1 || @stable", "stands alone"},
      {SEMVER, "^1\n", "printable"},
      {SEMVER, std::string("^1\0", 3), "printable"},
      {SEMVER, "^1\xc2\xa0", "printable"},
      {SEMVER, std::string(kMaxPinBytes + 1, '1'), "257 bytes"},
      {SEMVER, ManyMajors(60), "356 bytes when spaced as it is kept"},
      {DATE, "2026-03", "calendar"},
      {DATE, "^2026-03-01", "only SEMVER"},
      {DATE, "*.Basil", "train"},
      {DATE, "*.", "train"},
      {DATE, "*.a-rc", "train"},
      {DATE, ">*.basil", "train"},
      {K8S, "1", "such as v1"},
      {K8S, "~v1", "only SEMVER"},
      {K8S, "<*", "no version"},
      {INTEGER, "v7", "such as 7"},
      {INTEGER, "1.x", "such as 7"},
      {routing::v1::SCHEME_UNSPECIFIED, "1", "scheme"},
  };
  for (const Bad& c : cases) {
    const auto expression = Expression::Parse(c.scheme, c.expression);
    EXPECT_EQ(expression.status().code(), absl::StatusCode::kInvalidArgument) << c.expression;
    EXPECT_THAT(expression.status().message(), HasSubstr(c.says)) << c.expression;
  }
}

TEST(ExpressionTest, KindAndCanonicalText) {
  struct Case {
    Scheme scheme;
    std::string expression;
    Kind kind;
    std::string canonical;
  };
  const Case cases[] = {
      {SEMVER, "1.4.2", Kind::kExact, "1.4.2"},
      {SEMVER, " = 1.4.2 ", Kind::kExact, "1.4.2"},
      {SEMVER, "1.4.2 || 1.4.3", Kind::kRange, "1.4.2 || 1.4.3"},
      {SEMVER, "1.4.2 1.4.2", Kind::kRange, "1.4.2 1.4.2"},
      {SEMVER, " >=  1.2   <2 ", Kind::kRange, ">=1.2 <2"},
      {SEMVER, "^1.x||~2.*", Kind::kRange, "^1 || ~2"},
      {SEMVER, "1.X.x", Kind::kRange, "1.x"},
      {SEMVER, "1.2.*", Kind::kRange, "1.2.x"},
      {SEMVER, "=1.x", Kind::kRange, "1.x"},
      {SEMVER, "X", Kind::kRange, "*"},
      {SEMVER, ">=*", Kind::kRange, "*"},
      {SEMVER, "1.2\t-  2.3", Kind::kRange, "1.2 - 2.3"},
      {SEMVER, "1.x - 2", Kind::kRange, "1 - 2"},
      {SEMVER, "@stable", Kind::kChannel, "@stable"},
      {DATE, "<= 2026-03-01", Kind::kRange, "<=2026-03-01"},
      {DATE, "=*.basil", Kind::kRange, "*.basil"},
      {DATE, "=2026-03-01", Kind::kExact, "2026-03-01"},
      {K8S, "v1", Kind::kExact, "v1"},
      {INTEGER, "* ", Kind::kRange, "*"},
      {INTEGER, "=7", Kind::kExact, "7"},
  };
  for (const Case& c : cases) {
    const auto expression = Expression::Parse(c.scheme, c.expression);
    ASSERT_TRUE(expression.ok()) << expression.status();
    EXPECT_EQ(expression->kind(), c.kind) << c.expression;
    EXPECT_EQ(expression->canonical(), c.canonical);
  }
}

// Cases that nobody here wrote; a case is a line.
TEST(ExpressionTest, AgreesWithNodeSemver) {
  std::ifstream file("registry/version/testdata/npm_ranges.tsv");
  ASSERT_TRUE(file.is_open()) << "run from the root of the sources";
  size_t cases = 0;
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line.front() == '#') continue;
    const std::vector<std::string> fields = absl::StrSplit(line, '\t');
    ASSERT_EQ(fields.size(), 3u) << line;
    const bool matches = fields[2] == "1";
    ExpectMatches({SEMVER, fields[0], matches ? std::vector{fields[1]} : std::vector<std::string>{},
                   matches ? std::vector<std::string>{} : std::vector{fields[1]}});
    ++cases;
  }
  EXPECT_GT(cases, 500u);
}

TEST(ExpressionTest, WhatIncludesNoNameIsImpossible) {
  const struct {
    Scheme scheme;
    std::vector<std::string> possible;
    std::vector<std::string> impossible;
  } cases[] = {
      {SEMVER,
       {"1.0.0", "^0.0.3", "<0.0.1", "<=0.0.0", "*", ">2 <1 || ^3", "@stable", ">1.0.0 <1.0.1-rc.2",
        ">2.0.0-rc.1 <2.0.0-rc.1.1", ">1.0.9007199254740991", "<1.0.0-rc.1 >=1.0.0-alpha",
        ">=1.0.0-rc.1 <1.0.0", "1.2 - 2.3"},
       {">2 <1", "<0.0.0", ">1.0.0 <1.0.1", "^1 ^2", "1.0.0 >1", ">=2.0.0 <2.0.0-rc.1", "2.3 - 1.2",
        ">2 <1 || ^1 >=2"}},
      {INTEGER, {"0", "<1", ">=2", ">1 <3", "3 - 4"}, {"<0", ">1 <2", ">2 <=2", "4 - 3", "1 2"}},
      {DATE,
       {">2026-03-01", "*.basil", ">=2026-03-01 <=2026-03-01", "2026-03-01.basil <=2026-03-01",
        ">2026-03-01.basil <2026-03-02"},
       {">2026-03-02 <2026-03-01", ">2026-03-01 <=2026-03-01", "2026-03-01 - 2026-02-01"}},
      {K8S, {">=v1", ">v1 <v3", "v1beta1 - v1", "foo"}, {">v2 <v1", ">v1 <=v1", "v1 - v1beta1"}},
  };
  for (const auto& c : cases) {
    for (const bool wanted : {true, false}) {
      for (const std::string& text : wanted ? c.possible : c.impossible) {
        const auto expression = Expression::Parse(c.scheme, text);
        ASSERT_TRUE(expression.ok()) << expression.status();
        EXPECT_EQ(expression->IsPossible(), wanted) << text;
      }
    }
  }
}

}  // namespace
}  // namespace pinion::version
