#include "registry/version/expression.h"

#include <algorithm>

#include "base/check.h"

namespace pinion::version {

bool Expression::Holds(const Comparator& comparator, const VersionName& name) {
  const VersionName& bound = comparator.bound;
  if (comparator.op == Op::kTrain) return name.train() == bound.train();
  const bool by_day = bound.scheme() == routing::v1::DATE && bound.train().empty() &&
                      !bound.is_prerelease() && comparator.op != Op::kEqual;
  const std::strong_ordering order = by_day ? name.numbers() <=> bound.numbers() : name <=> bound;
  switch (comparator.op) {
    case Op::kLess:
      return order < 0;
    case Op::kLessEqual:
      return order <= 0;
    case Op::kGreater:
      return order > 0;
    case Op::kGreaterEqual:
      return order >= 0;
    default:
      return order == 0;
  }
}

bool Expression::Matches(const VersionName& name) const {
  return std::any_of(
      alternatives_.begin(), alternatives_.end(), [&name](const Alternative& alternative) {
        const bool holds = std::all_of(alternative.begin(), alternative.end(),
                                       [&name](const Comparator& c) { return Holds(c, name); });
        if (!holds || !name.is_prerelease()) return holds;
        return std::any_of(alternative.begin(), alternative.end(), [&name](const Comparator& c) {
          return c.bound.is_prerelease() && c.bound.numbers() == name.numbers();
        });
      });
}

std::optional<size_t> Resolve(const Expression& expression, std::span<const Candidate> candidates) {
  std::optional<size_t> active;
  std::optional<size_t> deprecated;
  for (size_t i = 0; i < candidates.size(); ++i) {
    const Candidate& candidate = candidates[i];
    if (!expression.Matches(*candidate.name)) continue;
    if (expression.kind() == Expression::Kind::kExact) return i;
    std::optional<size_t>* best = candidate.state == routing::v1::ACTIVE       ? &active
                                  : candidate.state == routing::v1::DEPRECATED ? &deprecated
                                                                               : nullptr;
    if (best == nullptr) continue;
    if (!best->has_value() || *candidates[**best].name < *candidate.name) *best = i;
  }
  return active.has_value() ? active : deprecated;
}

}  // namespace pinion::version
