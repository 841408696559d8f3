#include "registry/access/rights.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/check.h"
#include "base/status_macros.h"
#include "registry/access/subject.h"
#include "registry/model/errors.h"
#include "registry/model/validate.h"
#include "registry/version/names.h"

namespace pinion::access {
namespace {

namespace v1 = registry::v1;

// What one owner may create: more patterns say that one wider one is meant.
constexpr int kMaxPatterns = 32;

absl::Status Invalid(absl::string_view message) {
  return model::Refusal(absl::StatusCode::kInvalidArgument, "ARGUMENT_INVALID", message);
}

void Add(Rights& rights, const v1::Grant& grant) {
  switch (grant.role()) {
    case v1::OPERATOR:
      rights.operates = true;
      break;
    case v1::READER:
      rights.reviews = true;
      break;
    case v1::GATEWAY:
      rights.follows = true;
      break;
    case v1::CONSUMER:
      rights.consumers.insert(grant.name());
      break;
    case v1::OWNER:
      rights.owners.insert(grant.name());
      for (const std::string& pattern : grant.creates()) {
        rights.creates.emplace_back(grant.name(), pattern);
      }
      break;
    default:  // of a newer registry on the same store: nobody here knows what it means
      return;
  }
  rights.has_role = true;
}

absl::Status ValidatePattern(absl::string_view pattern) {
  absl::string_view name = pattern;
  if (name == "*") return absl::OkStatus();
  absl::ConsumeSuffix(&name, "/*");
  if (version::ValidateConsumerName(name).ok()) return absl::OkStatus();
  return Invalid(absl::StrCat("\"", pattern,
                              "\" is no pattern of names: write a name, NAME/* for all below it, "
                              "or * for all"));
}

}  // namespace

Rights RightsOf(std::vector<std::string> subjects, const GrantsBySubject& grants,
                const std::vector<std::string>& operators) {
  CHECK(!subjects.empty());
  Rights rights;
  rights.actor = subjects.front();
  rights.subjects = std::move(subjects);
  for (const std::string& subject : rights.subjects) {
    rights.owners.insert(subject);
    if (subject == kLocalSubject ||
        std::find(operators.begin(), operators.end(), subject) != operators.end()) {
      rights.operates = rights.has_role = true;
    }
    const auto held = grants.find(subject);
    if (held == grants.end()) continue;
    for (const v1::Grant& grant : held->second) Add(rights, grant);
  }
  return rights;
}

void BecomeConsumer(Rights& rights, const std::string& consumer) {
  rights.consumers.insert(consumer);
  rights.has_role = true;
}

bool MatchesPattern(absl::string_view pattern, absl::string_view name) {
  if (pattern == "*") return true;
  if (!absl::EndsWith(pattern, "/*")) return pattern == name;
  const absl::string_view folder = pattern.substr(0, pattern.size() - 1);
  return name.size() > folder.size() && absl::StartsWith(name, folder);
}

std::string DefaultOwner(const Rights& rights, absl::string_view name) {
  std::set<std::string> owners;
  for (const auto& [owner, pattern] : rights.creates) {
    if (MatchesPattern(pattern, name)) owners.insert(owner);
  }
  return owners.size() == 1 ? *owners.begin() : rights.actor;
}

bool MayCreate(const Rights& rights, absl::string_view name, absl::string_view owner) {
  return rights.operates ||
         std::any_of(rights.creates.begin(), rights.creates.end(), [&](const auto& each) {
           return each.first == owner && MatchesPattern(each.second, name);
         });
}

absl::Status ValidateGrant(const v1::Grant& grant) {
  RETURN_IF_ERROR(ValidateSubject(grant.subject()));
  if (grant.role() == v1::ROLE_UNSPECIFIED || !v1::Role_IsValid(grant.role())) {
    return Invalid("role is none of reader, consumer, owner, gateway, operator");
  }
  const bool named = grant.role() == v1::OWNER || grant.role() == v1::CONSUMER;
  const std::string role = RoleText(grant.role(), "");
  if (named == grant.name().empty()) {
    return Invalid(named ? absl::StrCat("role ", role, " needs a name: whose objects it is about")
                         : absl::StrCat("role ", role, " takes no name"));
  }
  RETURN_IF_ERROR(model::ValidateText("name", grant.name(), model::kMaxActorBytes));
  if (absl::StrContains(grant.name(), '!') ||
      std::any_of(grant.name().begin(), grant.name().end(), absl::ascii_iscntrl)) {
    return Invalid(absl::StrCat("name \"", absl::CHexEscape(grant.name()),
                                "\" has a ! or a control character in it, which no grant may"));
  }
  if (grant.role() == v1::CONSUMER) RETURN_IF_ERROR(version::ValidateConsumerName(grant.name()));
  if (grant.role() != v1::OWNER && !grant.creates().empty()) {
    return Invalid(absl::StrCat("role ", role, " creates nothing; an owner may"));
  }
  if (grant.creates_size() > kMaxPatterns) {
    return Invalid(absl::StrCat("at most ", kMaxPatterns, " patterns of names; take wider ones"));
  }
  for (const std::string& pattern : grant.creates()) RETURN_IF_ERROR(ValidatePattern(pattern));
  return absl::OkStatus();
}

std::string RoleText(v1::Role role, absl::string_view name) {
  const std::string word = absl::AsciiStrToLower(v1::Role_Name(role));
  return name.empty() ? word : absl::StrCat(word, " ", name);
}

}  // namespace pinion::access
