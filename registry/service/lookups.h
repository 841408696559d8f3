// What several operations ask first, with the refusals that name what is near. Reads through the
// draft, so that the answer still holds when the change is committed.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "base/status_macros.h"
#include "registry/model/resolutions.h"
#include "registry/service/draft.h"
#include "registry/version/expression.h"

namespace pinion::service {

// NotFound: SERVICE_UNKNOWN, VERSION_NOT_FOUND, CONSUMER_UNKNOWN.
absl::StatusOr<Stored<registry::v1::Service>> RequireService(Draft& draft, const std::string& name);
absl::StatusOr<Stored<registry::v1::VersionRecord>> RequireVersion(Draft& draft,
                                                                   const std::string& service,
                                                                   const std::string& name);
absl::StatusOr<Stored<registry::v1::Consumer>> RequireConsumer(Draft& draft,
                                                               const std::string& name);

// NotFound: INSTANCE_UNKNOWN.
absl::Status UnknownInstance(const std::string& uid);
absl::StatusOr<Stored<registry::v1::Instance>> RequireInstance(Draft& draft,
                                                               const std::string& uid);

// All versions of a service. Not remembered: whoever decides by their states reads the service's
// Resolutions too, which every change of a state writes.
absl::StatusOr<model::VersionList> LoadVersions(Draft& draft, const routing::v1::Service& service);

// Aborted, unless `expected` is the object's revision (0: it does not exist) or unset in the
// request.
absl::Status CheckExpected(bool has_expected, int64_t expected, store::Revision actual,
                           absl::string_view object);

// The version that a request to change one names, as CheckExpected() says. `Request` has service,
// name and expected_revision.
template <typename Request>
absl::StatusOr<Stored<registry::v1::VersionRecord>> RequireVersionAsExpected(
    Draft& draft, const Request& request) {
  ASSIGN_OR_RETURN(auto there, RequireVersion(draft, request.service(), request.name()));
  RETURN_IF_ERROR(CheckExpected(request.has_expected_revision(), request.expected_revision(),
                                there.revision,
                                absl::StrCat("version ", request.service(), " ", request.name())));
  return there;
}

// The service, which calls go to. NotFound; FailedPrecondition: it is a database and has no `what`,
// such as "pins".
absl::StatusOr<Stored<registry::v1::Service>> RequireApi(Draft& draft, const std::string& name,
                                                         absl::string_view what);

// InvalidArgument: PIN_MALFORMED.
absl::StatusOr<version::Expression> ParseExpression(const routing::v1::Service& service,
                                                    const std::string& text);

// What an expression in use means now: a version for all who say it, or a channel, which may be
// ramped.
struct ExpressionMeaning {
  std::string version;
  std::optional<routing::v1::Channel> channel;

  // Empty: nothing yet.
  const std::string& For(absl::string_view consumer) const;
};

// Remembers channels and Resolutions as one lookup each.
absl::StatusOr<ExpressionMeaning> MeaningOf(Draft& draft, const std::string& service,
                                            const std::string& expression);

// What it means now for a consumer, or for who is none (empty); empty: nothing yet.
absl::StatusOr<std::string> ResolvedVersion(Draft& draft, const std::string& service,
                                            const std::string& expression,
                                            absl::string_view consumer);
absl::StatusOr<std::string> ResolvedVersion(Draft& draft, const routing::v1::Pin& pin);

// How many pins say each of `moved`, as the API's message.
absl::StatusOr<std::vector<registry::v1::MovedExpression>> CountMoved(
    Draft& draft, const std::string& service, const std::vector<model::Moved>& moved);

}  // namespace pinion::service
