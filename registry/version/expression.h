// What a pin asks for: an exact name, a range of names, or a channel. Pure values.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "registry/version/names.h"
#include "registry/version/version_name.h"

namespace pinion::version {

//   exact    1.4.2     complete; an incomplete name (`1` under SEMVER) is malformed
//   channel  @stable
//   range    a || b    in each alternative, comparators separated by spaces must all hold:
//     * < <= > >= =                      all schemes
//     ^1.4 ~1.4 1.x 1.4.x `1.2 - 2.3`    SEMVER, with npm's meaning
//     *.basil                            DATE: any date of that train
//     a - b                              DATE, K8S, INTEGER: both ends included
// A DATE comparator without a train and prerelease looks at the date only: <=2026-03-01 includes
// 2026-03-01.basil. A prerelease (SEMVER, DATE) matches only if a comparator of the alternative has
// one and names the same numbers.
class Expression {
 public:
  enum class Kind { kExact, kRange, kChannel };

  Expression() = default;

  // InvalidArgument says what is wrong and what to write. At most kMaxPinBytes, canonical() too.
  static absl::StatusOr<Expression> Parse(Scheme scheme, absl::string_view text);

  Kind kind() const { return kind_; }
  // Equal for expressions that differ in spacing, `X` or `*` for `x`, trailing x parts, or a
  // leading `=` only. Parses to the same expression, so it can be stored and interned.
  const std::string& canonical() const { return canonical_; }
  // REQUIRES: kChannel. Without @.
  absl::string_view channel() const { return absl::string_view(canonical_).substr(1); }
  // REQUIRES: kExact.
  const std::string& exact() const { return canonical_; }

  // Whether an exact name or range includes `name`; a channel includes none. REQUIRES: the scheme
  // it was parsed with.
  bool Matches(const VersionName& name) const;

  // False: there is no name that it could include, such as >2 <1. Exact for SEMVER and INTEGER; for
  // the other schemes true also for some that include none. A channel: true.
  bool IsPossible() const;

 private:
  friend class ExpressionParser;
  enum class Op { kLess, kLessEqual, kGreater, kGreaterEqual, kEqual, kTrain };
  struct Comparator {
    Op op;
    VersionName bound;  // kTrain: only the train
  };
  using Alternative = std::vector<Comparator>;  // empty: any

  static bool Holds(const Comparator& comparator, const VersionName& name);
  static bool Exclude(const Comparator& lower, const Comparator& upper);

  Kind kind_ = Kind::kExact;
  std::string canonical_;
  std::vector<Alternative> alternatives_;
};

// A version that an expression may choose.
struct Candidate {
  const VersionName* name;
  VersionState state;
};

// The index of the version that `expression` means, or nullopt. Exact: the one of that name, in
// whatever state. Range: the newest that matches among ACTIVE ones, else the newest DEPRECATED one;
// others are never chosen. Channel: nullopt, since a channel's version is a record, not a
// computation.
std::optional<size_t> Resolve(const Expression& expression, std::span<const Candidate> candidates);

}  // namespace pinion::version
