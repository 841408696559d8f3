#include "registry/model/breaking_names.h"

#include "gtest/gtest.h"

namespace pinion::model {
namespace {

using routing::v1::Scheme;

TEST(BreakingNamesTest, EachSchemeHasItsWay) {
  const struct {
    Scheme scheme;
    const char* older;
    const char* newer;
    bool declared;
  } kCases[] = {
      {routing::v1::SEMVER, "1.4.2", "1.4.3", false},
      {routing::v1::SEMVER, "1.4.2", "1.5.0", false},
      {routing::v1::SEMVER, "1.4.2", "2.0.0", true},
      {routing::v1::SEMVER, "1.4.2", "2.0.0-rc.1", true},
      {routing::v1::SEMVER, "1.4.2", "1.5.0-rc.1", false},
      {routing::v1::SEMVER, "2.0.0-rc.1", "2.0.0-rc.2", true},
      {routing::v1::SEMVER, "0.4.2", "0.4.3", false},
      {routing::v1::SEMVER, "0.4.2", "0.5.0", true},
      {routing::v1::SEMVER, "0.0.2", "0.0.3", true},
      {routing::v1::SEMVER, "0.9.0", "1.0.0", true},
      {routing::v1::DATE, "2026-11-23", "2026-11-24", true},
      {routing::v1::DATE, "2026-11-23", "2026-11-23.basil", false},
      {routing::v1::K8S, "v1", "v2", true},
      {routing::v1::K8S, "v1beta1", "v1", true},
      {routing::v1::INTEGER, "7", "8", true},
  };
  for (const auto& c : kCases) {
    const auto older = version::VersionName::Parse(c.scheme, c.older);
    const auto newer = version::VersionName::Parse(c.scheme, c.newer);
    ASSERT_TRUE(older.ok() && newer.ok()) << c.older << " " << c.newer;
    EXPECT_EQ(NamesDeclareBreak(*older, *newer), c.declared) << c.older << " " << c.newer;
  }
}

TEST(BreakingNamesTest, ANameIsSuggested) {
  const struct {
    Scheme scheme;
    const char* older;
    const char* suggested;
  } kCases[] = {
      {routing::v1::SEMVER, "1.4.2", "2.0.0"},
      {routing::v1::SEMVER, "0.4.2", "0.5.0"},
      {routing::v1::DATE, "2026-11-23", "one of another date"},
      {routing::v1::K8S, "v1beta1", "any other"},
      {routing::v1::INTEGER, "7", "any other"},
  };
  for (const auto& c : kCases) {
    EXPECT_EQ(BreakingNameAfter(*version::VersionName::Parse(c.scheme, c.older)), c.suggested);
  }
}

}  // namespace
}  // namespace pinion::model
