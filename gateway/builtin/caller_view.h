// The versions that one caller would get, service by service: what reflection shows him and health
// tells him. PURE.
#pragma once

#include <optional>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"
#include "gateway/builtin/call.h"
#include "gateway/route/route_table.h"

namespace pinion::builtin {

class CallerView {
 public:
  // Lives on the stack, no longer than `context` stays what it is.
  explicit CallerView(const Context& context)
      : context_(context),
        consumer_(context.table->FindConsumer(context.identity_kind, context.identity)) {}

  // The version for calls to `grpc_service` without a wanted version; null when they would be
  // refused. Of the table.
  const route::VersionEntry* VersionFor(absl::string_view grpc_service) const;

  // Each gRPC service of `service` that would serve this caller, in order, with its version.
  void ForEachServed(
      const route::ServiceEntry& service,
      absl::FunctionRef<void(const std::string&, const route::VersionEntry&)> visit) const;

 private:
  const Context& context_;
  const std::optional<route::Consumer> consumer_;
};

}  // namespace pinion::builtin
