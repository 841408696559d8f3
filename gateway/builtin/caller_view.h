// The versions that one caller would get, service by service: what reflection shows him and health
// tells him. PURE.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "gateway/builtin/call.h"
#include "gateway/route/route_table.h"

namespace pinion::builtin {

struct ServedVersion {
  const route::ServiceEntry* service;
  const route::VersionEntry* version;
};

// The version for calls to `grpc_service` without a wanted version; null when they would be
// refused. Points into the table.
const route::VersionEntry* VersionFor(const Context& context, absl::string_view grpc_service);

// One entry for each service that would serve this caller, in order of their names.
std::vector<ServedVersion> VersionsFor(const Context& context);

}  // namespace pinion::builtin
