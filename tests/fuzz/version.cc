// Version names and expressions: `api-version` of any caller, and what the CLI is given. The first
// byte chooses the scheme; then names and at last an expression, a line each.
#include <array>
#include <vector>

#include "absl/strings/str_split.h"
#include "base/check.h"
#include "registry/version/expression.h"
#include "registry/version/names.h"
#include "registry/version/version_name.h"
#include "tests/fuzz/target.h"

namespace pinion::fuzz {
namespace {

using version::Candidate;
using version::Expression;
using version::VersionName;

constexpr std::array kSchemes = {routing::v1::SEMVER, routing::v1::DATE, routing::v1::K8S,
                                 routing::v1::INTEGER};
// Ordering is checked between all pairs.
constexpr size_t kMaxNames = 12;

void CheckOrder(const std::vector<VersionName>& names) {
  for (const VersionName& a : names) {
    for (const VersionName& b : names) {
      CHECK((a == b) == (a.text() == b.text()));
      CHECK((a < b) == (b > a));
      for (const VersionName& c : names) CHECK(!(a < b && b < c) || a < c);
    }
  }
}

}  // namespace

std::vector<std::string> Seeds() { return {}; }

void Run(absl::string_view input) {
  if (input.empty()) return;
  // A digit in a file that a person writes, any byte of a fuzzer.
  const version::Scheme scheme = kSchemes[static_cast<uint8_t>(input[0]) % kSchemes.size()];
  std::vector<absl::string_view> lines = absl::StrSplit(input.substr(1), '\n');
  const absl::string_view text = lines.back();
  lines.pop_back();

  std::vector<VersionName> names;
  for (const absl::string_view line : lines) {
    version::ValidateServiceName(line).IgnoreError();
    version::ValidateChannelName(line).IgnoreError();
    version::ValidateConsumerName(line).IgnoreError();
    absl::StatusOr<VersionName> name = VersionName::Parse(scheme, line);
    if (!name.ok() || names.size() == kMaxNames) continue;
    CHECK(name->text() == line);
    // A name is its own exact expression, and only its own.
    const absl::StatusOr<Expression> exact = Expression::Parse(scheme, line);
    CHECK(exact.ok() && exact->kind() == Expression::Kind::kExact && exact->Matches(*name));
    names.push_back(*std::move(name));
  }
  CheckOrder(names);

  const absl::StatusOr<Expression> expression = Expression::Parse(scheme, text);
  if (!expression.ok()) {
    CHECK(expression.status().code() == absl::StatusCode::kInvalidArgument);
    CHECK(!expression.status().message().empty());
    return;
  }
  const absl::StatusOr<Expression> again = Expression::Parse(scheme, expression->canonical());
  CHECK(again.ok() && again->canonical() == expression->canonical());
  CHECK(again->kind() == expression->kind());
  std::vector<Candidate> candidates;
  for (const VersionName& name : names) {
    CHECK(again->Matches(name) == expression->Matches(name));
    candidates.push_back(
        {&name, candidates.size() % 3 == 2 ? routing::v1::DEPRECATED : routing::v1::ACTIVE});
  }
  const std::optional<size_t> chosen = version::Resolve(*expression, candidates);
  if (chosen.has_value()) CHECK(expression->Matches(names.at(*chosen)));
}

}  // namespace pinion::fuzz
