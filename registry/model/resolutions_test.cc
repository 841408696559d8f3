#include "registry/model/resolutions.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace pinion::model {
namespace {

using registry::v1::Resolutions;
using routing::v1::VersionState;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

version::Expression Parse(absl::string_view text) {
  absl::StatusOr<version::Expression> parsed =
      version::Expression::Parse(routing::v1::SEMVER, std::string(text));
  EXPECT_TRUE(parsed.ok()) << parsed.status();
  return *parsed;
}

VersionList Versions(const std::vector<std::pair<std::string, VersionState>>& versions) {
  VersionList list(routing::v1::SEMVER);
  for (const auto& [name, state] : versions) EXPECT_TRUE(list.Add(name, state).ok());
  return list;
}

google::protobuf::Timestamp At(int64_t seconds) {
  google::protobuf::Timestamp time;
  time.set_seconds(seconds);
  return time;
}

// "expression: old → new"
std::vector<std::string> Texts(const std::vector<Moved>& moved) {
  std::vector<std::string> texts;
  for (const Moved& one : moved) {
    texts.push_back(one.expression + ": " + one.old_version + " → " + one.new_version);
  }
  return texts;
}

TEST(Resolutions, InternKeepsThemFindable) {
  Resolutions resolutions;
  for (const char* expression : {"^2", "1.0.0", "^1", "~1.2"})
    Intern(resolutions, expression, expression);
  EXPECT_EQ(Find(resolutions, "~1.2"), "~1.2");
  EXPECT_EQ(Find(resolutions, "1.0.0"), "1.0.0");
  EXPECT_EQ(Find(resolutions, "^3"), std::nullopt);
  EXPECT_EQ(resolutions.entries(0).expression(), "1.0.0");
}

TEST(Resolutions, PublishingMovesNobodyActivatingDoes) {
  VersionList versions =
      Versions({{"1.0.0", routing::v1::ACTIVE}, {"1.1.0", routing::v1::PUBLISHED}});
  Resolutions resolutions;
  for (const char* text : {"^1", "1.0.0", "1.1.0", "^2", "~1.0"}) {
    Intern(resolutions, text, versions.Resolve(Parse(text)));
  }
  EXPECT_EQ(Find(resolutions, "^1"), "1.0.0");
  EXPECT_EQ(Find(resolutions, "1.1.0"), "1.1.0") << "an exact name means its version in any state";
  EXPECT_EQ(Find(resolutions, "^2"), "");
  EXPECT_THAT(*ResolveAgain(resolutions, routing::v1::SEMVER, versions, "1.1.0", {}), IsEmpty());
  EXPECT_EQ(resolutions.state_changes(), 1) << "written even when nothing moves";
  versions.SetState("1.1.0", routing::v1::ACTIVE);
  EXPECT_THAT(Texts(*ResolveAgain(resolutions, routing::v1::SEMVER, versions, "1.1.0", {})),
              ElementsAre("^1: 1.0.0 → 1.1.0"));
  ASSERT_TRUE(versions.Add("2.0.0", routing::v1::ACTIVE).ok());
  EXPECT_THAT(Texts(*ResolveAgain(resolutions, routing::v1::SEMVER, versions, "2.0.0", {})),
              ElementsAre("^2:  → 2.0.0"));
}

TEST(Resolutions, ADeprecationMovesNobodyASunsetDoes) {
  using routing::v1::ACTIVE;
  using routing::v1::DEPRECATED;
  VersionList versions = Versions({{"1.0.0", ACTIVE}, {"1.1.0", ACTIVE}, {"2.0.0", ACTIVE}});
  Resolutions resolutions;
  for (const char* text : {"^1", "1.1.0", "^2"}) {
    Intern(resolutions, text, versions.Resolve(Parse(text)));
  }
  const auto set = [&](const char* name, VersionState state) {
    versions.SetState(name, state);
    return Texts(*ResolveAgain(resolutions, routing::v1::SEMVER, versions, name, At(7)));
  };
  EXPECT_THAT(set("1.1.0", DEPRECATED), IsEmpty());
  // Nor does what happens to others afterwards, though a new resolution of ^1 would be 1.0.0.
  EXPECT_THAT(set("2.0.0", DEPRECATED), IsEmpty());
  EXPECT_EQ(versions.Resolve(Parse("^1")), "1.0.0");
  EXPECT_THAT(set("1.1.0", routing::v1::SUNSET), ElementsAre("^1: 1.1.0 → 1.0.0"));
  EXPECT_EQ(Find(resolutions, "1.1.0"), "1.1.0") << "a pin on its name keeps to it";
  const auto& range = resolutions.entries(1);
  ASSERT_EQ(range.expression(), "^1");
  EXPECT_EQ(range.previous_version(), "1.1.0");
  EXPECT_EQ(range.move_time().seconds(), 7);
  EXPECT_THAT(set("2.0.0", routing::v1::SUNSET), ElementsAre("^2: 2.0.0 → "));
  EXPECT_THAT(set("1.1.0", ACTIVE), ElementsAre("^1: 1.0.0 → 1.1.0"));
  EXPECT_THAT(set("2.0.0", ACTIVE), ElementsAre("^2:  → 2.0.0"));
}

TEST(Resolutions, WhatDoesNotParseIsSaid) {
  VersionList versions(routing::v1::SEMVER);
  EXPECT_FALSE(versions.Add("not a version", routing::v1::ACTIVE).ok());
  Resolutions resolutions;
  resolutions.add_entries()->set_expression("((");
  EXPECT_FALSE(ResolveAgain(resolutions, routing::v1::SEMVER, versions, "1.0.0", {}).ok());
}

TEST(Resolutions, CouldMatchLooksAtWhatIsNotActiveYet) {
  const VersionList versions =
      Versions({{"1.0.0", routing::v1::PUBLISHED}, {"2.0.0", routing::v1::RETIRED}});
  const struct {
    const char* expression;
    bool could;
  } kCases[] = {{"^1", true}, {"1.0.0", true}, {"^2", false}, {"2.0.0", false}, {"3.0.0", false}};
  for (const auto& c : kCases)
    EXPECT_EQ(versions.CouldMatch(Parse(c.expression)), c.could) << c.expression;
}

TEST(Resolutions, NeedsWhatNothingElseMatches) {
  using routing::v1::SUNSET;
  const VersionList versions = Versions({{"1.0.0", SUNSET},
                                         {"1.1.0", routing::v1::DEPRECATED},
                                         {"2.0.0", SUNSET},
                                         {"2.1.0", routing::v1::RETIRED},
                                         {"3.0.0", SUNSET},
                                         {"3.1.0", routing::v1::PUBLISHED}});
  const struct {
    const char* expression;
    const char* name;
    bool needs;
  } kCases[] = {
      {"^1", "1.0.0", false}, {"^1", "1.1.0", true},  {"~1.0", "1.0.0", true},
      {"^2", "2.0.0", true},  {"^3", "3.0.0", false}, {"^3", "2.0.0", false},
      {"*", "1.0.0", false},
  };
  for (const auto& c : kCases) {
    EXPECT_EQ(versions.Needs(Parse(c.expression), c.name), c.needs) << c.expression << c.name;
  }
}

TEST(Resolutions, NamesAreNewestFirst) {
  EXPECT_THAT(Versions({{"1.9.0", routing::v1::ACTIVE},
                        {"1.10.0", routing::v1::PUBLISHED},
                        {"0.1.0", routing::v1::RETIRED},
                        {"1.2.0", routing::v1::ACTIVE}})
                  .Names(),
              ElementsAre("1.10.0", "1.9.0", "1.2.0"));
}

}  // namespace
}  // namespace pinion::model
