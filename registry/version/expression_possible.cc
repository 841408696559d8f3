// Whether there are names that an expression could include at all.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "registry/version/expression.h"

namespace pinion::version {
namespace {

// Names of which one is the least that an alternative includes, if `bound` is what it begins at.
std::vector<std::string> LeastNames(const VersionName& bound) {
  const std::array<uint64_t, 3>& n = bound.numbers();
  if (bound.scheme() == routing::v1::INTEGER) return {absl::StrCat(n[0]), absl::StrCat(n[0] + 1)};
  const std::string release = absl::StrCat(n[0], ".", n[1], ".", n[2]);
  std::vector<std::string> names = {release, absl::StrCat(n[0], ".", n[1], ".", n[2] + 1),
                                    absl::StrCat(n[0], ".", n[1] + 1, ".0"),
                                    absl::StrCat(n[0] + 1, ".0.0")};
  if (bound.is_prerelease() && !bound.text().empty()) {
    names.insert(names.end(), {release + "-0", bound.text(), bound.text() + ".0"});
  }
  return names;
}

// Holds for the days of dates, whatever their trains.
bool SameOrder(const VersionName& a, const VersionName& b) {
  return a.scheme() == routing::v1::DATE ? a.numbers() == b.numbers() : a == b;
}

bool Above(const VersionName& a, const VersionName& b) {
  return a.scheme() == routing::v1::DATE ? a.numbers() > b.numbers() : a > b;
}

}  // namespace

// Whether no name is above the one and below the other.
bool Expression::Exclude(const Comparator& lower, const Comparator& upper) {
  const auto bounds = [](const Comparator& c, Op strict, Op inclusive) {
    return c.op == strict || c.op == inclusive || c.op == Op::kEqual;
  };
  if (!bounds(lower, Op::kGreater, Op::kGreaterEqual) || !bounds(upper, Op::kLess, Op::kLessEqual))
    return false;
  if (Above(lower.bound, upper.bound)) return true;
  // A day is excluded as a whole by a comparator that names nothing but the day.
  const auto strict = [](const Comparator& c) {
    const bool whole = c.bound.scheme() != routing::v1::DATE ||
                       (c.bound.train().empty() && !c.bound.is_prerelease());
    return whole && (c.op == Op::kGreater || c.op == Op::kLess);
  };
  return SameOrder(lower.bound, upper.bound) && (strict(lower) || strict(upper));
}

bool Expression::IsPossible() const {
  if (kind_ == Kind::kChannel) return true;
  const auto possible = [this](const Alternative& alternative) {
    if (alternative.empty()) return true;
    const Scheme scheme = alternative.front().bound.scheme();
    if (scheme != routing::v1::SEMVER && scheme != routing::v1::INTEGER) {
      return std::none_of(alternative.begin(), alternative.end(), [&](const Comparator& lower) {
        return std::any_of(alternative.begin(), alternative.end(),
                           [&](const Comparator& upper) { return Exclude(lower, upper); });
      });
    }
    std::vector<std::string> names = {scheme == routing::v1::SEMVER ? "0.0.0" : "0"};
    for (const Comparator& comparator : alternative) {
      for (std::string& name : LeastNames(comparator.bound)) names.push_back(std::move(name));
    }
    return std::any_of(names.begin(), names.end(), [&](const std::string& text) {
      const absl::StatusOr<VersionName> name = VersionName::Parse(scheme, text);
      return name.ok() && Matches(*name);
    });
  };
  return std::any_of(alternatives_.begin(), alternatives_.end(), possible);
}

}  // namespace pinion::version
