#include "registry/service/access_service.h"

#include "absl/strings/str_cat.h"
#include "pinion/registry/v1/access.grpc.pb.h"
#include "registry/service/access.h"
#include "registry/service/grpc_handler.h"

namespace pinion::service {
namespace {

class AccessService final : public v1::Access::Service {
 public:
  AccessService(Registry& registry, Gatekeeper* gatekeeper) : handler_(registry, gatekeeper) {}

#define PINION_OPERATION(Method)                                                                 \
  grpc::Status Method(grpc::ServerContext* context, const v1::Method##Request* request,          \
                      v1::Method##Response* response) override {                                 \
    return handler_.Handle(*context, absl::StrCat(v1::Access::service_full_name(), "." #Method), \
                           *request, response, service::Method);                                 \
  }
  PINION_OPERATION(AddGrant)
  PINION_OPERATION(RemoveGrant)
  PINION_OPERATION(CreateToken)
  PINION_OPERATION(RevokeToken)
  PINION_OPERATION(ListTokens)
#undef PINION_OPERATION

  grpc::Status ListGrants(grpc::ServerContext* context, const v1::ListGrantsRequest* request,
                          v1::ListGrantsResponse* response) override {
    const grpc::Status status =
        handler_.Handle(*context, absl::StrCat(v1::Access::service_full_name(), ".ListGrants"),
                        *request, response, service::ListGrants);
    if (!status.ok() || handler_.gatekeeper() == nullptr) return status;
    response->set_unauthenticated(handler_.gatekeeper()->unauthenticated());
    response->set_denied(handler_.gatekeeper()->denied());
    return status;
  }

  grpc::Status WhoAmI(grpc::ServerContext* context, const v1::WhoAmIRequest* request,
                      v1::WhoAmIResponse* response) override {
    if (handler_.gatekeeper() != nullptr) {
      return Answer(handler_.gatekeeper()->Describe(ShownBy(*context)), response);
    }
    const absl::StatusOr<std::string> actor = ClaimedActor(*context);
    if (!actor.ok()) return ToGrpc(actor.status());
    response->set_actor(*actor);
    return grpc::Status::OK;
  }

 private:
  const GrpcHandler handler_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeAccessService(Registry& registry, Gatekeeper* gatekeeper) {
  return std::make_unique<AccessService>(registry, gatekeeper);
}

}  // namespace pinion::service
