// What each method of the registry's gRPC services does: who calls, whether it may, the operation,
// and its answer.
#pragma once

#include <grpcpp/server_context.h>
#include <grpcpp/support/status.h>

#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "registry/service/draft.h"
#include "registry/service/grpc_caller.h"
#include "registry/service/grpc_status.h"

namespace pinion::service {

template <typename Response>
grpc::Status Answer(absl::StatusOr<Response> result, Response* response) {
  if (!result.ok()) return ToGrpc(result.status());
  *response = *std::move(result);
  return grpc::Status::OK;
}

class GrpcHandler {
 public:
  // Both outlive it; `gatekeeper` null: everybody may do everything.
  GrpcHandler(Registry& registry, Gatekeeper* gatekeeper)
      : registry_(registry), gatekeeper_(gatekeeper) {}

  Registry& registry() const { return registry_; }
  Gatekeeper* gatekeeper() const { return gatekeeper_; }

  // An operation that is one draft. `method` by its full name.
  template <typename Request, typename Response>
  grpc::Status Handle(const grpc::ServerContext& context, const std::string& method,
                      const Request& request, Response* response,
                      absl::StatusOr<Response> (*operation)(Draft&, const Request&)) const {
    const absl::StatusOr<Caller> caller = CallerOf(gatekeeper_, context, method, request);
    if (!caller.ok()) return ToGrpc(caller.status());
    return Answer(Run(registry_, operation, *caller, request), response);
  }

  // An operation with work before its draft: nobody makes the registry do that who may not.
  template <typename Request, typename Response>
  grpc::Status Handle(const grpc::ServerContext& context, const std::string& method,
                      const Request& request, Response* response,
                      absl::StatusOr<Response> (*operation)(Registry&, const Caller&,
                                                            const Request&)) const {
    const absl::StatusOr<Caller> caller = Allowed(context, method, request);
    if (!caller.ok()) return ToGrpc(caller.status());
    return Answer(operation(registry_, *caller, request), response);
  }

  // The caller, if it may call the method now.
  absl::StatusOr<Caller> Allowed(const grpc::ServerContext& context, const std::string& method,
                                 const google::protobuf::Message& request) const {
    ASSIGN_OR_RETURN(Caller caller, CallerOf(gatekeeper_, context, method, request));
    RETURN_IF_ERROR(CheckAllowed(registry_, caller));
    return caller;
  }

 private:
  Registry& registry_;
  Gatekeeper* const gatekeeper_;
};

}  // namespace pinion::service
