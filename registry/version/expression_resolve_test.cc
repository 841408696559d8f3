// Which version an expression means: among active versions, prereleases, deprecations.
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "registry/version/expression.h"

namespace pinion::version {
namespace {

using routing::v1::ACTIVE;
using routing::v1::DATE;
using routing::v1::DEPRECATED;
using routing::v1::INTEGER;
using routing::v1::K8S;
using routing::v1::PUBLISHED;
using routing::v1::RETIRED;
using routing::v1::SEMVER;
using routing::v1::SUNSET;

struct Case {
  Scheme scheme;
  std::string expression;
  std::vector<std::pair<std::string, VersionState>> versions;
  std::string wanted;  // empty: none
};

TEST(ResolveTest, ChoosesTheBestVersion) {
  const Case cases[] = {
      // Ranges resolve among active versions: publishing moves nobody.
      {SEMVER, "^1", {{"1.1.0", ACTIVE}, {"1.2.0", PUBLISHED}, {"1.0.0", ACTIVE}}, "1.1.0"},
      {SEMVER, "^1", {{"1.2.0", PUBLISHED}}, ""},
      {SEMVER, "*", {}, ""},
      {SEMVER, "^1", {{"2.0.0", ACTIVE}}, ""},
      // By precedence of names, not of text.
      {SEMVER, "*", {{"1.9.0", ACTIVE}, {"1.10.0", ACTIVE}}, "1.10.0"},
      // Not deprecated before deprecated, even if older; else the newest deprecated.
      {SEMVER, "^1", {{"1.1.0", DEPRECATED}, {"1.0.0", ACTIVE}}, "1.0.0"},
      {SEMVER, "^1", {{"1.1.0", DEPRECATED}, {"1.2.0", DEPRECATED}, {"2.0.0", ACTIVE}}, "1.2.0"},
      // Sunset and retired versions are no new choice.
      {SEMVER, "^1", {{"1.1.0", SUNSET}, {"1.2.0", RETIRED}}, ""},
      // An exact name means that version, whatever its state: the caller says why it cannot be had.
      {SEMVER, "1.2.0", {{"1.1.0", ACTIVE}, {"1.2.0", PUBLISHED}}, "1.2.0"},
      {SEMVER, "1.2.0", {{"1.2.0", RETIRED}}, "1.2.0"},
      {SEMVER, "1.2.0", {{"1.2.1", ACTIVE}}, ""},
      // Prereleases only for those who name them.
      {SEMVER, "^2", {{"2.0.0-rc.1", ACTIVE}}, ""},
      {SEMVER, "^2.0.0-rc", {{"2.0.0-rc.1", ACTIVE}, {"2.0.0-rc.2", ACTIVE}}, "2.0.0-rc.2"},
      {SEMVER, "^2.0.0-rc", {{"2.0.0-rc.1", ACTIVE}, {"2.0.0", ACTIVE}}, "2.0.0"},
      {DATE, "<=2025-03-01", {{"2025-03-02", ACTIVE}, {"2025-02-01", ACTIVE}}, "2025-02-01"},
      {DATE,
       "*.acacia",
       {{"2025-03-02.basil", ACTIVE}, {"2024-09-30.acacia", ACTIVE}},
       "2024-09-30.acacia"},
      {K8S,
       "*",
       {{"v11alpha2", ACTIVE}, {"foo1", ACTIVE}, {"v1", ACTIVE}, {"v11beta2", ACTIVE}},
       "v1"},
      {INTEGER, "<=8", {{"7", ACTIVE}, {"9", ACTIVE}}, "7"},
      // A channel's version is a record.
      {SEMVER, "@stable", {{"1.0.0", ACTIVE}}, ""},
  };
  for (const Case& c : cases) {
    const auto expression = Expression::Parse(c.scheme, c.expression);
    ASSERT_TRUE(expression.ok()) << expression.status();
    std::vector<VersionName> names;
    names.reserve(c.versions.size());
    std::vector<Candidate> candidates;
    for (const auto& [text, state] : c.versions) {
      names.push_back(VersionName::Parse(c.scheme, text).value());
      candidates.push_back({&names.back(), state});
    }
    const std::optional<size_t> best = Resolve(*expression, candidates);
    EXPECT_EQ(best ? names[*best].text() : "", c.wanted) << c.expression;
  }
}

}  // namespace
}  // namespace pinion::version
