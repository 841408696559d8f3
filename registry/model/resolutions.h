// What the expressions of one service mean: made when an expression is first used, made again only
// when a version changes its state, and sticky even then. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "pinion/registry/v1/records.pb.h"
#include "pinion/routing/v1/routing.pb.h"
#include "registry/version/expression.h"
#include "registry/version/version_name.h"

namespace pinion::model {

// Of one service, all of them: at some thousands one looks for the pins that use them, and forgets
// those that none does.
inline constexpr int kMaxExpressions = 4096;

// The versions of one service, for resolving. A value.
class VersionList {
 public:
  explicit VersionList(routing::v1::Scheme scheme) : scheme_(scheme) {}

  // InvalidArgument: `name` is none under the scheme; no registry writes such a record.
  absl::Status Add(absl::string_view name, routing::v1::VersionState state);
  void SetState(absl::string_view name, routing::v1::VersionState state);

  // The version's name; empty: none. Channels: empty.
  std::string Resolve(const version::Expression& expression) const;

  // Whether there is such a version and ranges may lead to it.
  bool CanBeChosen(absl::string_view name) const;

  // Whether some version that has not ended is meant or would be, were it active. A channel: false.
  bool CouldMatch(const version::Expression& expression) const;

  // The same of a version that `within` matches too.
  bool CouldMatchWithin(const version::Expression& expression,
                        const version::Expression& within) const;

  // Whether `expression` matches the version `name`, one of these.
  bool Matches(const version::Expression& expression, absl::string_view name) const;

  // Whether `expression` matches the version `name` and no other that has not ended.
  bool Needs(const version::Expression& expression, absl::string_view name) const;

  // The version that satisfies a requirement for `expression`: the one that it means, if that can
  // be chosen; empty: none.
  std::string Satisfying(const version::Expression& expression) const;

  struct NamedState {
    std::string name;
    routing::v1::VersionState state;
  };
  // What `expression` matches, in whatever state, newest first.
  std::vector<NamedState> Matching(const version::Expression& expression) const;

  // Newest first; those that have ended left out.
  std::vector<std::string> Names() const;
  // Those of them that `expression` matches.
  std::vector<std::string> NamesWithin(const version::Expression& expression) const;

 private:
  struct Item {
    version::VersionName name;
    routing::v1::VersionState state;
  };
  template <typename Keep>
  std::vector<NamedState> NewestFirst(Keep keep) const;

  routing::v1::Scheme scheme_;
  std::vector<Item> items_;
};

// An expression that means another version than before.
struct Moved {
  std::string expression;
  std::string old_version;
  std::string new_version;
};

// The version that `expression` means according to `resolutions`; nullopt: it is not in use yet.
std::optional<std::string> Find(const registry::v1::Resolutions& resolutions,
                                absl::string_view expression);

// Adds an expression, in order. REQUIRES: it is not there.
void Intern(registry::v1::Resolutions& resolutions, absl::string_view expression,
            absl::string_view version);

// Resolves the expressions anew after the state of the version `changed` has changed, and notes the
// state change even if nothing moved. A range whose version can still be chosen moves to `changed`
// or stays: so a deprecation moves nobody, nor does the next change of another version.
// Those that move from a version note it, and `now`. InvalidArgument: an expression does not parse,
// which no registry writes.
absl::StatusOr<std::vector<Moved>> ResolveAgain(registry::v1::Resolutions& resolutions,
                                                routing::v1::Scheme scheme,
                                                const VersionList& versions,
                                                absl::string_view changed,
                                                const google::protobuf::Timestamp& now);

}  // namespace pinion::model
