#include "registry/version/version_name.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace pinion::version {
namespace {

using routing::v1::DATE;
using routing::v1::INTEGER;
using routing::v1::K8S;
using routing::v1::SCHEME_UNSPECIFIED;
using routing::v1::SEMVER;
using ::testing::HasSubstr;

struct Good {
  Scheme scheme;
  std::string text;
};

TEST(VersionNameTest, ParsesCompleteNames) {
  const Good cases[] = {
      {SEMVER, "0.0.0"},
      {SEMVER, "1.4.2"},
      {SEMVER, "2.0.0-rc.1"},
      {SEMVER, "1.0.0-alpha-b.0.x-Y-Z"},
      {SEMVER, "1.0.0--"},
      {SEMVER, "9007199254740991.0.0"},
      {SEMVER, "1.0.0-99999999999999999999999"},
      {DATE, "2026-11-23"},
      {DATE, "2026-11-23.basil"},
      {DATE, "2025-02-01-preview"},
      {DATE, "2024-02-29.a1-rc2"},
      {K8S, "v1"},
      {K8S, "v10"},
      {K8S, "v1beta1"},
      {K8S, "v2alpha12"},
      {K8S, "foo1"},
      {K8S, "v0"},
      {K8S, "v1gamma1"},
      {K8S, "internal-api"},
      {INTEGER, "0"},
      {INTEGER, "7"},
      {INTEGER, "20261123"},
  };
  for (const Good& c : cases) {
    const auto name = VersionName::Parse(c.scheme, c.text);
    ASSERT_TRUE(name.ok()) << name.status();
    EXPECT_EQ(name->text(), c.text);
    EXPECT_EQ(name->scheme(), c.scheme);
  }
}

struct Bad {
  Scheme scheme;
  std::string text;
  std::string says;
};

TEST(VersionNameTest, RefusesWithAdvice) {
  const Bad cases[] = {
      {SEMVER, "", "empty"},
      {SEMVER, "1", "such as 1.0.0"},
      {SEMVER, "1.2", "such as 1.2.0"},
      {SEMVER, "1.2.3.4", "major.minor.patch"},
      {SEMVER, "v1.2.3", "write 1.2.3"},
      {SEMVER, "1.2.3+build", "write 1.2.3"},
      {SEMVER, "01.2.3", "leading zero"},
      {SEMVER, "1.2.3-", "prerelease"},
      {SEMVER, "1.2.3-a..b", "prerelease"},
      {SEMVER, "1.2.3-01", "write 1 for 01"},
      {SEMVER, "1.2.3-00", "write 0 for 00"},
      {SEMVER, "1.2.x", "SEMVER"},
      {SEMVER, "1.2.3 ", "SEMVER"},
      {SEMVER, "9007199254740992.0.0", "above"},
      {SEMVER, "latest", "SEMVER"},
      {SEMVER, std::string(65, '1'), "65 bytes"},
      {DATE, "2026-11", "such as 2026-11-23"},
      {DATE, "2026-13-01", "calendar"},
      {DATE, "2025-02-29", "calendar"},
      {DATE, "0000-01-01", "calendar"},
      {DATE, "2026-1-1", "calendar"},
      {DATE, "2026-11-23.", "2026-11-23.basil"},
      {DATE, "2026-11-23.Basil", "lower-case"},
      {DATE, "2026-11-23-", "preview"},
      {DATE, "2026-11-23.a.b", "2026-11-23.basil"},
      {DATE, "2026-11-23x", "2026-11-23.basil"},
      {K8S, "1", "begins with a digit"},
      {K8S, "V1", "K8S"},
      {K8S, "v1-", "K8S"},
      {K8S, "v1.2", "K8S"},
      {INTEGER, "v7", "such as 7"},
      {INTEGER, "-1", "such as 7"},
      {INTEGER, "07", "such as 7"},
      {INTEGER, "99999999999999999999", "such as 7"},
      {SCHEME_UNSPECIFIED, "1.0.0", "scheme"},
  };
  for (const Bad& c : cases) {
    const auto name = VersionName::Parse(c.scheme, c.text);
    EXPECT_EQ(name.status().code(), absl::StatusCode::kInvalidArgument) << c.text;
    EXPECT_THAT(name.status().message(), HasSubstr(c.says));
  }
}

TEST(VersionNameTest, Orders) {
  struct Case {
    Scheme scheme;
    std::vector<std::string> oldest_first;
  };
  const Case cases[] = {
      // semver.org §11
      {SEMVER,
       {"0.0.0", "1.0.0-0", "1.0.0-2", "1.0.0-10", "1.0.0-99999999999999999999999", "1.0.0-A",
        "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta", "1.0.0-beta.2",
        "1.0.0-beta.11", "1.0.0-rc.1", "1.0.0", "1.0.1", "1.2.0", "1.10.0", "2.0.0", "10.0.0"}},
      // Kubernetes' documented list, reversed
      {K8S,
       {"foo10", "foo1", "v11alpha2", "v12alpha1", "v3beta1", "v10beta3", "v11beta2", "v1", "v2",
        "v10"}},
      {DATE,
       {"2024-09-30", "2024-09-30.acacia", "2025-02-01-preview", "2025-02-01",
        "2025-02-01.acacia-rc1", "2025-02-01.acacia", "2025-02-01.basil", "2025-02-02",
        "2025-10-01", "2026-01-01"}},
      {INTEGER, {"0", "1", "2", "10", "20261123"}},
  };
  for (const Case& c : cases) {
    std::vector<VersionName> names;
    for (const std::string& text : c.oldest_first) {
      const auto name = VersionName::Parse(c.scheme, text);
      ASSERT_TRUE(name.ok()) << name.status();
      names.push_back(*name);
    }
    for (size_t i = 0; i < names.size(); ++i) {
      for (size_t j = 0; j < names.size(); ++j) {
        EXPECT_EQ(names[i] <=> names[j], i <=> j) << names[i].text() << " " << names[j].text();
      }
    }
  }
}

}  // namespace
}  // namespace pinion::version
