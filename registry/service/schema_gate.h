// The compatibility gate of `version publish`.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "pinion/registry/v1/registry.pb.h"
#include "registry/schema/schema.h"
#include "registry/service/draft.h"

namespace pinion::service {

// Compares a new version with every version of its service that is not retired, the older of the
// two being what clients know. OK: nothing breaks but what the names declare
// (model::NamesDeclareBreak) and the request's waivers cover; the result says which were needed,
// one a line, for the audit. FailedPrecondition SCHEMA_BREAKS, with a PreconditionFailure that
// lists the findings. InvalidArgument ARGUMENT_INVALID: a waiver is not whole;
// DESCRIPTOR_SET_MALFORMED: one of two schemas cannot be compared. ResourceExhausted
// LIMIT_EXCEEDED: comparing them would take too long, or the service would have too many methods.
absl::StatusOr<std::string> CheckSchema(Draft& draft, const routing::v1::Service& service,
                                        const registry::v1::PublishVersionRequest& request,
                                        const schema::Schema& schema);

}  // namespace pinion::service
