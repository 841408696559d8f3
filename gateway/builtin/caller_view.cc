#include "gateway/builtin/caller_view.h"

#include <algorithm>
#include <variant>

#include "gateway/route/header_resolutions.h"
#include "gateway/route/method_path.h"

namespace pinion::builtin {

const route::VersionEntry* VersionFor(const Context& context, absl::string_view grpc_service) {
  // Found anew each time: a consumer points into the table that found it.
  const auto consumer = context.table->FindConsumer(context.identity_kind, context.identity);
  const route::CallQuery query{.method = {.full = {}, .grpc_service = grpc_service, .method = {}},
                               .consumer = consumer.has_value() ? &*consumer : nullptr};
  route::HeaderResolutions unused;
  const route::Resolved resolved = context.table->Resolve(query, unused);
  const auto* route = std::get_if<route::Route>(&resolved);
  return route == nullptr ? nullptr : route->version;
}

std::vector<ServedVersion> VersionsFor(const Context& context) {
  std::vector<ServedVersion> served;
  for (const route::ServiceEntry* service : context.table->Services()) {
    if (service->grpc_services.empty()) continue;
    const route::VersionEntry* version = VersionFor(context, service->grpc_services.front());
    if (version != nullptr) served.push_back({service, version});
  }
  std::sort(served.begin(), served.end(), [](const ServedVersion& a, const ServedVersion& b) {
    return a.service->name < b.service->name;
  });
  return served;
}

}  // namespace pinion::builtin
