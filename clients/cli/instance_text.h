// Instances as commands print them. Pure; any thread.
#pragma once

#include <string>

#include "pinion/registry/v1/registry.pb.h"

namespace pinion::cli {

// What a registration has brought about, a line each.
std::string RegisteredText(const registry::v1::RegisterInstanceResponse& made);

// A table, and below it a sentence for each instance that gets no calls, or has another schema.
std::string InstancesText(const registry::v1::ListInstancesResponse& list);

// Of one that gets no calls: "127.0.0.1:9001 gets no calls: it says that it does not serve".
std::string HeldBackText(const registry::v1::Instance& instance);

// What one check has found, and what that means for calls.
std::string CheckedText(const registry::v1::CheckInstanceResponse& checked);

}  // namespace pinion::cli
