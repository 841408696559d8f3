// `version publish --dry-run`: what the registry would say, found with its own rules.
#pragma once

#include "absl/status/statusor.h"
#include "clients/cli/invocation.h"

namespace pinion::cli {

// Nothing is changed. The answer to `request` as far as its schema and its name decide; `waived`
// gets the waivers that it needs, one a line. Errors: VERSION_EXISTS, VERSION_RETIRED and
// SCHEMA_BREAKS, as the registry's, or what makes it impossible to tell.
absl::StatusOr<v1::PublishVersionResponse> TryPublish(Invocation& run,
                                                      const v1::PublishVersionRequest& request,
                                                      std::string& waived);

}  // namespace pinion::cli
