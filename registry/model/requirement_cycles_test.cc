#include "registry/model/requirement_cycles.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "registry/model/errors.h"

namespace pinion::model {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

// "ledger 2.0.0: db >=2.0.0, web ^1"
RequiringVersion Version(const std::string& text) {
  const std::vector<std::string> parts = absl::StrSplit(text, ": ");
  const std::vector<std::string> names = absl::StrSplit(parts[0], ' ');
  RequiringVersion version{.service = names[0],
                           .name = *version::VersionName::Parse(routing::v1::SEMVER, names[1]),
                           .requirements = {}};
  if (parts.size() == 1) return version;
  for (const absl::string_view requirement : absl::StrSplit(parts[1], ", ")) {
    const std::pair<std::string, std::string> words =
        absl::StrSplit(requirement, absl::MaxSplits(' ', 1));
    registry::v1::Requirement& added = version.requirements.emplace_back();
    added.set_service(words.first);
    added.set_expression(words.second);
  }
  return version;
}

// Publishes `asked` where `there` is.
absl::Status Ask(const std::vector<std::string>& there, const std::string& asked) {
  std::map<std::string, std::vector<RequiringVersion>> services;
  for (const std::string& text : there) {
    RequiringVersion version = Version(text);
    services[version.service].push_back(std::move(version));
  }
  return CheckAcyclic(Version(asked), [&services](const std::string& service) {
    return absl::StatusOr<std::vector<RequiringVersion>>(services[service]);
  });
}

TEST(RequirementCycles, WhatCouldOnlyBeDeployedAfterItself) {
  const struct {
    std::vector<std::string> there;
    std::string asked;
    std::string path;
  } cases[] = {
      {{}, "a 1.0.0: a ^1", "a 1.0.0 requires a ^1, which leads back to a 1.0.0"},
      {{"b 1.0.0: a ^1"},
       "a 1.0.0: b ^1",
       "a 1.0.0 requires b ^1, b 1.0.0 requires a ^1, which leads back to a 1.0.0"},
      {{"b 1.0.0: c ^1", "c 1.0.0: a ^1"},
       "a 1.0.0: b ^1",
       "a 1.0.0 requires b ^1, b 1.0.0 requires c ^1, c 1.0.0 requires a ^1, which"},
      // Of two ways only one is closed; all candidates of the other are, too.
      {{"b 1.0.0: a ^1", "b 1.1.0: a >=1.0.0", "c 1.0.0"},
       "a 1.0.0: c ^1, b ^1",
       "a 1.0.0 requires b ^1, b 1.1.0 requires a >=1.0.0, which"},
      // An older version that is itself on a cycle helps nobody.
      {{"a 0.9.0: b ^9", "b 9.0.0: a >=0.9.0"}, "a 1.0.0: b ^9", "b 9.0.0 requires a >=0.9.0"},
  };
  for (const auto& c : cases) {
    const absl::Status status = Ask(c.there, c.asked);
    EXPECT_EQ(ReasonOf(status), "REQUIREMENT_CYCLIC") << c.asked;
    EXPECT_THAT(std::string(status.message()), HasSubstr(c.path));
  }
}

TEST(RequirementCycles, WhatAnOlderVersionSatisfiesIsNone) {
  const struct {
    std::vector<std::string> there;
    std::string asked;
  } cases[] = {
      {{}, "a 1.0.0"},
      {{"a 1.0.0", "b 1.0.0: a >=1.0.0"}, "a 2.0.0: b ^1"},
      {{"a 1.0.0"}, "a 2.0.0: a ^1"},
      {{"b 1.0.0", "b 2.0.0: a ^1"}, "a 1.0.0: b >=1.0.0"},
      {{"b 1.0.0: c ^1 || ^2", "c 1.0.0", "c 2.0.0: a ^1"}, "a 1.0.0: b ^1"},
  };
  for (const auto& c : cases) EXPECT_TRUE(Ask(c.there, c.asked).ok()) << c.asked;
}

TEST(RequirementCycles, WhatIsNotPublishedYetIsNone) {
  EXPECT_TRUE(Ask({}, "a 1.0.0: b ^1").ok());
  EXPECT_TRUE(Ask({"b 1.0.0: c ^1"}, "a 1.0.0: b ^1").ok());
  // The last one to come closes it.
  EXPECT_EQ(ReasonOf(Ask({"b 1.0.0: c ^1", "a 1.0.0: b ^1"}, "c 1.0.0: a ^1")),
            "REQUIREMENT_CYCLIC");
  // Whatever else b waits for, it is of no use to a.
  EXPECT_EQ(ReasonOf(Ask({"b 1.0.0: a ^1, c ^1"}, "a 1.0.0: b ^1")), "REQUIREMENT_CYCLIC");
  // Others that go in circles are their own affair.
  EXPECT_TRUE(Ask({"b 1.0.0: c ^1", "c 1.0.0: b ^1"}, "a 1.0.0: b ^1").ok());
}

TEST(RequirementCycles, ALongWayIsToldInPart) {
  std::vector<std::string> there;
  for (int i = 1; i < 2000; ++i) {
    there.push_back(absl::StrCat("s-", i, " 1.0.0: s-", i + 1, " ^1"));
  }
  EXPECT_TRUE(Ask(there, "a 1.0.0: s-1 ^1").ok());
  there.push_back("s-2000 1.0.0: a ^1");
  const absl::Status status = Ask(there, "a 1.0.0: s-1 ^1");
  EXPECT_EQ(ReasonOf(status), "REQUIREMENT_CYCLIC");
  EXPECT_LT(status.message().size(), 1000u);
  EXPECT_THAT(std::string(status.message()), HasSubstr("and so on, 1992 more"));
}

TEST(RequirementCycles, TheSearchIsBounded) {
  std::vector<std::string> there;
  for (size_t i = 0; i <= kMaxSearchedVersions; ++i) there.push_back(absl::StrCat("b 1.0.", i));
  EXPECT_EQ(ReasonOf(Ask(there, "a 1.0.0: b ^1")), "LIMIT_EXCEEDED");
}

TEST(RequirementCycles, ALoaderThatFailsIsToldOf) {
  const auto load = [](const std::string&) -> absl::StatusOr<std::vector<RequiringVersion>> {
    return absl::DataLossError("damaged");
  };
  EXPECT_TRUE(absl::IsDataLoss(CheckAcyclic(Version("a 1.0.0: b ^1"), load)));
}

}  // namespace
}  // namespace pinion::model
