#include "registry/model/breaking_names.h"

#include "absl/strings/str_cat.h"

namespace pinion::model {
namespace {

bool SemverDeclares(const version::VersionName& older, const version::VersionName& newer) {
  if (older.is_prerelease()) return true;
  const auto& [old_major, old_minor, old_patch] = older.numbers();
  const auto& [major, minor, patch] = newer.numbers();
  if (old_major != major) return true;
  if (major > 0) return false;
  return old_minor != minor || (minor == 0 && old_patch != patch);
}

}  // namespace

bool NamesDeclareBreak(const version::VersionName& older, const version::VersionName& newer) {
  switch (older.scheme()) {
    case routing::v1::SEMVER:
      return SemverDeclares(older, newer);
    case routing::v1::DATE:
      return older.numbers() != newer.numbers();
    default:
      return older != newer;
  }
}

std::string BreakingNameAfter(const version::VersionName& older) {
  const auto& [major, minor, patch] = older.numbers();
  switch (older.scheme()) {
    case routing::v1::SEMVER:
      return major > 0 ? absl::StrCat(major + 1, ".0.0") : absl::StrCat("0.", minor + 1, ".0");
    case routing::v1::DATE:
      return "one of another date";
    default:
      return "any other";
  }
}

}  // namespace pinion::model
