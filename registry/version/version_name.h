// The name of an API version, parsed and ordered by its service's scheme. Pure values.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "pinion/routing/v1/routing.pb.h"

namespace pinion::version {

using routing::v1::Scheme;
using routing::v1::VersionState;

// Complete and exact:
//   SEMVER   1.4.2, 2.0.0-rc.1: ordered as semver.org; no build part, no leading v.
//   DATE     2026-11-23, 2026-11-23.basil, 2026-11-23-preview: by date, then the plain date before
//            its trains, then the prerelease before what it precedes.
//   K8S      v1alpha1 < v1beta1 < v1 < v2. Names of another form are older than all of these, the
//            alphabetically first being the newest of them: foo10 < foo1.
//   INTEGER  7
class VersionName {
 public:
  VersionName() = default;

  // InvalidArgument says what is wrong and what to write instead.
  static absl::StatusOr<VersionName> Parse(Scheme scheme, absl::string_view text);

  const std::string& text() const { return text_; }
  Scheme scheme() const { return scheme_; }

  // Semver's part behind `-`, or a date's; matched by a comparator that names the same numbers and
  // has one too.
  bool is_prerelease() const { return !prerelease_.empty(); }
  // A date's part behind `.`; empty: none.
  const std::string& train() const { return word_; }
  // Semver: major, minor, patch. Date: year, month, day. K8s: rank (GA 3, beta 2, alpha 1, other
  // 0), major, minor. Integer: itself.
  const std::array<uint64_t, 3>& numbers() const { return numbers_; }

  // Older to newer. REQUIRES: both of one scheme. Equal only if the texts are.
  friend std::strong_ordering operator<=>(const VersionName& a, const VersionName& b);
  friend bool operator==(const VersionName& a, const VersionName& b) { return (a <=> b) == 0; }

 private:
  friend class ExpressionParser;

  absl::Status ParseSemver();
  absl::Status ParseDateName();
  absl::Status ParseK8sName();
  absl::Status ParseInteger();

  std::string text_;
  Scheme scheme_ = routing::v1::SCHEME_UNSPECIFIED;
  std::array<uint64_t, 3> numbers_{};
  std::vector<std::string> prerelease_;  // dot-separated parts
  std::string word_;                     // date: train; k8s: a name of another form
};

}  // namespace pinion::version
