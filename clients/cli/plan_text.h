// Plans as a command prints them.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "clients/cli/invocation.h"
#include "pinion/registry/v1/registry.pb.h"

namespace pinion::cli {

// Asks the registry and prints its answer. Ends with kExitFailed if the change would be refused.
absl::Status PrintPlan(Invocation& run, const v1::PlanRequest& request);

// Whom the change would move, from where to where, and what lies between.
std::string PlanText(const v1::PlanResponse& plan);

// "  billing addressbook is pinned to it: pinion pin set billing addressbook 2.0.0\n" for each.
std::string BlockersText(const google::protobuf::RepeatedPtrField<v1::RetirementBlocker>& blockers);

}  // namespace pinion::cli
