#include "registry/model/requirements.h"

#include <algorithm>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/status_macros.h"
#include "registry/model/errors.h"
#include "registry/version/names.h"

namespace pinion::model {
namespace {

using registry::v1::PublishVersionRequest;
using registry::v1::Requirement;
using registry::v1::RequirementCheck;
using version::Expression;

// Names in one message.
constexpr size_t kNamed = 10;

absl::Status Invalid(absl::string_view message, Metadata metadata) {
  return Refusal(absl::StatusCode::kInvalidArgument, "REQUIREMENT_INVALID", message,
                 std::move(metadata));
}

// Names that a version must have, and will have for ever: no channel, and not none at all.
// `subject` begins the message, "the requirement db/people <3" or "ends <3".
absl::StatusOr<Expression> ParseFixed(const routing::v1::Service& service, const std::string& text,
                                      absl::string_view subject) {
  const Metadata metadata = {{"service", service.name()}, {"asked", text}};
  absl::StatusOr<Expression> expression = Expression::Parse(service.scheme(), text);
  if (!expression.ok()) return WithReason(expression.status(), "PIN_MALFORMED", metadata);
  if (expression->kind() == Expression::Kind::kChannel) {
    return Invalid(absl::StrCat(subject,
                                " is a channel, which its owners move; write the versions that "
                                "are meant, by name or as a range"),
                   metadata);
  }
  if (!expression->IsPossible()) {
    return Invalid(absl::StrCat(subject, " can never be met: no name of a version is within ",
                                expression->canonical()),
                   metadata);
  }
  return expression;
}

// "; published: 3, 2": those in `state`, if there are any.
std::string Listed(const std::vector<VersionList::NamedState>& matching,
                   routing::v1::VersionState state, absl::string_view word) {
  std::vector<std::string> names;
  for (const auto& one : matching) {
    if (one.state == state && names.size() < kNamed) names.push_back(one.name);
  }
  return names.empty() ? "" : absl::StrCat("; ", word, ": ", absl::StrJoin(names, ", "));
}

}  // namespace

bool IsDatabase(const registry::v1::Service& service) {
  return service.kind() == registry::v1::Service::DATABASE;
}

registry::v1::Service::Kind KindOf(registry::v1::Service::Kind kind) {
  return kind == registry::v1::Service::KIND_UNSPECIFIED ? registry::v1::Service::API : kind;
}

std::string RequirementText(const Requirement& requirement) {
  return absl::StrCat(requirement.service(), " ", requirement.expression());
}

absl::Status CheckTakesCalls(const registry::v1::Service& service, absl::string_view what) {
  if (!IsDatabase(service)) return absl::OkStatus();
  const std::string& name = service.service().name();
  return Refusal(absl::StatusCode::kFailedPrecondition, "SERVICE_IS_DATABASE",
                 absl::StrCat(name, " is a database: no calls go to it, so it has no ", what,
                              "; versions of other services require its steps, and a step becomes "
                              "active by `pinion version activate ",
                              name, " STEP`"),
                 {{"service", name}});
}

absl::Status ValidateRequirements(const PublishVersionRequest& request) {
  if (request.requirements_size() > kMaxRequirements) {
    return Refusal(absl::StatusCode::kResourceExhausted, "LIMIT_EXCEEDED",
                   absl::StrCat("a version may have ", kMaxRequirements,
                                " requirements; this one has ", request.requirements_size()));
  }
  std::set<std::string> services;
  for (const Requirement& requirement : request.requirements()) {
    const absl::Status name = version::ValidateServiceName(requirement.service());
    if (!name.ok()) return WithReason(name, "NAME_MALFORMED");
    if (services.insert(requirement.service()).second) continue;
    return Invalid(absl::StrCat(requirement.service(),
                                " is required twice; write one expression: comparators separated "
                                "by a space must all hold, alternatives stand around ||"),
                   {{"service", requirement.service()}});
  }
  return absl::OkStatus();
}

absl::Status CheckKind(const registry::v1::Service& service, const PublishVersionRequest& request) {
  const std::string& name = service.service().name();
  const Metadata metadata = {{"service", name}, {"version", request.name()}};
  if (!IsDatabase(service) && !request.ends().empty()) {
    return Refusal(absl::StatusCode::kInvalidArgument, "ARGUMENT_INVALID",
                   absl::StrCat("only a step of a database ends others, and ", name,
                                " is none; versions of an API end by `pinion version retire`. A "
                                "database is made by `pinion service create NAME --kind database`"),
                   metadata);
  }
  if (IsDatabase(service) && !request.descriptor_set().empty()) {
    return Refusal(absl::StatusCode::kInvalidArgument, "ARGUMENT_INVALID",
                   absl::StrCat(name, " is a database: its steps have no gRPC services; publish ",
                                request.name(), " without a descriptor set"),
                   metadata);
  }
  return absl::OkStatus();
}

absl::StatusOr<Expression> ParseRequirement(const routing::v1::Service& required,
                                            const Requirement& requirement) {
  return ParseFixed(required, requirement.expression(),
                    absl::StrCat("the requirement ", RequirementText(requirement)));
}

absl::StatusOr<Expression> ParseEnds(const routing::v1::Service& service,
                                     const version::VersionName& name, const std::string& text) {
  const std::string subject =
      absl::StrCat("what ", service.name(), " ", name.text(), " ends, ", text, ",");
  ASSIGN_OR_RETURN(Expression expression, ParseFixed(service, text, subject));
  if (!expression.Matches(name)) return expression;
  return Invalid(absl::StrCat(subject,
                              " includes itself; write it so that only other steps match, "
                              "such as <",
                              name.text()),
                 {{"service", service.name()}, {"version", name.text()}, {"asked", text}});
}

RequirementCheck CheckRequirement(const registry::v1::Service& required,
                                  const VersionList& versions, const Requirement& requirement,
                                  const Expression& expression) {
  RequirementCheck check;
  *check.mutable_requirement() = requirement;
  check.set_satisfied_by(versions.Satisfying(expression));
  if (!check.satisfied_by().empty()) return check;
  const std::vector<VersionList::NamedState> matching = versions.Matching(expression);
  const std::string published = Listed(matching, routing::v1::PUBLISHED, "published");
  const std::string sunset = Listed(matching, routing::v1::SUNSET, "past its sunset");
  const std::string retired = Listed(matching, routing::v1::RETIRED, "retired for good");
  // Of several steps the oldest comes first; of an API the newest is what one wants.
  std::string next;
  for (const auto& one : matching) {
    const bool candidate =
        one.state == (published.empty() ? routing::v1::SUNSET : routing::v1::PUBLISHED);
    if (candidate && (next.empty() || IsDatabase(required))) next = one.name;
  }
  const std::string name = absl::StrCat(requirement.service(), " ", next);
  std::string message = absl::StrCat("nothing active matches", published, sunset, retired);
  if (!published.empty() && IsDatabase(required)) {
    absl::StrAppend(&message, "; activate it");
    check.set_command(absl::StrCat("pinion version activate ", name));
  } else if (!published.empty()) {
    absl::StrAppend(&message, "; register an instance of it");
    check.set_command(absl::StrCat("pinion instance register ", name, " HOST:PORT"));
  } else if (!sunset.empty()) {
    absl::StrAppend(&message, "; bring it back");
    check.set_command(absl::StrCat("pinion version reactivate ", name));
  } else if (!retired.empty()) {
    absl::StrAppend(&message, "; publish a version that requires something else");
  } else {
    message = "nothing that matches was published yet";
    check.set_command(absl::StrCat("pinion version publish ", requirement.service(), " VERSION"));
  }
  check.set_message(message);
  return check;
}

bool RequirementEnded(const VersionList& versions, const Expression& expression) {
  if (!versions.Satisfying(expression).empty()) return false;
  const std::vector<VersionList::NamedState> matching = versions.Matching(expression);
  return std::any_of(matching.begin(), matching.end(), [](const VersionList::NamedState& one) {
    return one.state == routing::v1::RETIRED;
  });
}

bool Loses(const Expression& expression, const std::vector<std::string>& gone,
           const VersionList& after) {
  if (!after.Satisfying(expression).empty()) return false;
  const std::vector<VersionList::NamedState> matching = after.Matching(expression);
  return std::any_of(matching.begin(), matching.end(), [&gone](const VersionList::NamedState& one) {
    return std::find(gone.begin(), gone.end(), one.name) != gone.end();
  });
}

registry::v1::RetirementBlocker RequirementBlocker(absl::string_view required,
                                                   const registry::v1::RequirementUse& use) {
  const std::string name = absl::StrCat(use.service(), " ", use.version());
  registry::v1::RetirementBlocker blocker;
  blocker.set_kind(registry::v1::RetirementBlocker::REQUIREMENT);
  blocker.set_subject(name);
  blocker.set_message(absl::StrCat("requires ", required, " ", use.expression(),
                                   ", and nothing else active matches"));
  blocker.set_command(absl::StrCat("pinion version retire ", name));
  return blocker;
}

}  // namespace pinion::model
