// What a caller may, as the sum of the grants to its subjects. Pure.
#pragma once

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "pinion/registry/v1/access.pb.h"

namespace pinion::access {

using GrantsBySubject = absl::flat_hash_map<std::string, std::vector<registry::v1::Grant>>;

struct Rights {
  std::string actor;                  // the subject that the audit log names
  std::vector<std::string> subjects;  // all of them, that one first
  bool operates = false;
  bool reviews = false;  // reads also the audit log, grants and tokens
  bool follows = false;  // as a gateway
  // Whose objects are the caller's own. The names of the subjects are among them.
  std::set<std::string> owners;
  std::set<std::string> consumers;                           // whose pins are
  std::vector<std::pair<std::string, std::string>> creates;  // owner, pattern
  bool has_role = false;
};

// `subjects`: what the credential proves, the actor first; not empty. `operators` are those of the
// configuration.
Rights RightsOf(std::vector<std::string> subjects, const GrantsBySubject& grants,
                const std::vector<std::string>& operators);

// The caller is this consumer, by an identity that is registered for it.
void BecomeConsumer(Rights& rights, const std::string& consumer);

// Who a new object of this name belongs to when nobody says: the one owner that the caller may
// create it as, else the caller.
std::string DefaultOwner(const Rights& rights, absl::string_view name);

// Whether the caller may create an object of this name that belongs to `owner`.
bool MayCreate(const Rights& rights, absl::string_view name, absl::string_view owner);

// "payments/*" matches what is below payments, "*" everything, another text itself.
bool MatchesPattern(absl::string_view pattern, absl::string_view name);

// What AddGrant may say. InvalidArgument: ARGUMENT_INVALID.
absl::Status ValidateGrant(const registry::v1::Grant& grant);

// "owner payments", as the command line writes it.
std::string RoleText(registry::v1::Role role, absl::string_view name);

}  // namespace pinion::access
