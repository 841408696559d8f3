#include "gateway/builtin/caller_view.h"

#include <variant>

#include "gateway/route/header_resolutions.h"
#include "gateway/route/method_path.h"

namespace pinion::builtin {

const route::VersionEntry* CallerView::VersionFor(absl::string_view grpc_service) const {
  const route::CallQuery query{.method = {.full = {}, .grpc_service = grpc_service, .method = {}},
                               .consumer = consumer_.has_value() ? &*consumer_ : nullptr,
                               .consumer_required = context_.consumer_required};
  route::HeaderResolutions unused;
  const route::Resolved resolved = context_.table->Resolve(query, unused);
  const auto* route = std::get_if<route::Route>(&resolved);
  return route == nullptr ? nullptr : route->version;
}

void CallerView::ForEachServed(
    const route::ServiceEntry& service,
    absl::FunctionRef<void(const std::string&, const route::VersionEntry&)> visit) const {
  const route::VersionEntry* version = nullptr;
  bool asked = false;
  for (const std::string& grpc_service : service.grpc_services) {
    // One answer is that of all, unless each package may name a version of its own.
    if (!asked || !service.package_expressions.empty()) version = VersionFor(grpc_service);
    asked = true;
    if (version != nullptr) visit(grpc_service, *version);
  }
}

}  // namespace pinion::builtin
