#include "registry/service/grpc_services.h"

#include <grpcpp/server_context.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "pinion/registry/v1/registry.grpc.pb.h"
#include "pinion/registry/v1/watch.grpc.pb.h"
#include "registry/model/errors.h"
#include "registry/model/validate.h"
#include "registry/service/grpc_status.h"
#include "registry/service/operations.h"

namespace pinion::service {
namespace {

// "ipv4:127.0.0.1:40312" without the port, which says nothing about who it is.
std::string DescribePeer(const std::string& peer) {
  if (peer.rfind("unix:", 0) == 0) return "unix";
  const size_t colon = peer.rfind(':');
  return colon == std::string::npos ? peer : peer.substr(0, colon);
}

absl::StatusOr<Caller> CallerOf(const grpc::ServerContext& context) {
  const auto& metadata = context.client_metadata();
  const auto it = metadata.find(kActorMetadata);
  if (it == metadata.end() || it->second.empty()) return Caller{DescribePeer(context.peer())};
  const std::string actor(it->second.data(), it->second.size());
  const bool printable = std::all_of(actor.begin(), actor.end(),
                                     [](unsigned char c) { return c >= 0x20 && c < 0x7f; });
  if (!printable || actor.size() > model::kMaxActorBytes) {
    return model::Refusal(absl::StatusCode::kInvalidArgument, "ARGUMENT_INVALID",
                          absl::StrCat(kActorMetadata, " must be at most ", model::kMaxActorBytes,
                                       " printable ASCII characters"));
  }
  return Caller{actor};
}

template <typename Response>
grpc::Status Answer(absl::StatusOr<Response> result, Response* response) {
  if (!result.ok()) return ToGrpc(result.status());
  *response = *std::move(result);
  return grpc::Status::OK;
}

class RegistryService final : public v1::Registry::Service {
 public:
  RegistryService(Registry& registry, const WatchHub& hub, std::string binary_version)
      : registry_(registry), hub_(hub), binary_version_(std::move(binary_version)) {}

#define PINION_OPERATION(Method, Response)                                              \
  grpc::Status Method(grpc::ServerContext* context, const v1::Method##Request* request, \
                      v1::Response* response) override {                                \
    return Handle(*context, *request, response, service::Method);                       \
  }
  PINION_OPERATION(CreateService, Service)
  PINION_OPERATION(UpdateService, Service)
  PINION_OPERATION(GetService, Service)
  PINION_OPERATION(ListServices, ListServicesResponse)
  PINION_OPERATION(PublishVersion, PublishVersionResponse)
  PINION_OPERATION(GetVersion, Version)
  PINION_OPERATION(GetVersionSchema, GetVersionSchemaResponse)
  PINION_OPERATION(ListVersions, ListVersionsResponse)
  PINION_OPERATION(RegisterInstance, RegisterInstanceResponse)
  PINION_OPERATION(RenewInstance, RenewInstanceResponse)
  PINION_OPERATION(DeregisterInstance, DeregisterInstanceResponse)
  PINION_OPERATION(ListInstances, ListInstancesResponse)
  PINION_OPERATION(CreateConsumer, Consumer)
  PINION_OPERATION(UpdateConsumer, Consumer)
  PINION_OPERATION(GetConsumer, Consumer)
  PINION_OPERATION(ListConsumers, ListConsumersResponse)
  PINION_OPERATION(SetPin, PinResponse)
  PINION_OPERATION(UnsetPin, UnsetPinResponse)
  PINION_OPERATION(RollbackPin, PinResponse)
  PINION_OPERATION(GetPin, Pin)
  PINION_OPERATION(ListPins, ListPinsResponse)
  PINION_OPERATION(ListPinHistory, ListPinHistoryResponse)
  PINION_OPERATION(SetChannel, Channel)
  PINION_OPERATION(ListChannels, ListChannelsResponse)
  PINION_OPERATION(ListAuditRecords, ListAuditRecordsResponse)
  PINION_OPERATION(GetRouting, GetRoutingResponse)
#undef PINION_OPERATION

  grpc::Status GetStatus(grpc::ServerContext* context, const v1::GetStatusRequest* request,
                         v1::GetStatusResponse* response) override {
    grpc::Status status = Handle(*context, *request, response, service::GetStatus);
    for (v1::GatewayStatus& gateway : hub_.Gateways())
      *response->add_gateways() = std::move(gateway);
    response->set_binary_version(binary_version_);
    return status;
  }

 private:
  // An operation that is one draft.
  template <typename Request, typename Response>
  grpc::Status Handle(const grpc::ServerContext& context, const Request& request,
                      Response* response,
                      absl::StatusOr<Response> (*operation)(Draft&, const Request&)) {
    const absl::StatusOr<Caller> caller = CallerOf(context);
    if (!caller.ok()) return ToGrpc(caller.status());
    return Answer(Run(registry_, operation, *caller, request), response);
  }

  // An operation with work before its draft.
  template <typename Request, typename Response>
  grpc::Status Handle(const grpc::ServerContext& context, const Request& request,
                      Response* response,
                      absl::StatusOr<Response> (*operation)(Registry&, const Caller&,
                                                            const Request&)) {
    const absl::StatusOr<Caller> caller = CallerOf(context);
    if (!caller.ok()) return ToGrpc(caller.status());
    return Answer(operation(registry_, *caller, request), response);
  }

  Registry& registry_;
  const WatchHub& hub_;
  const std::string binary_version_;
};

class RoutingWatchService final : public v1::RoutingWatch::Service {
 public:
  explicit RoutingWatchService(WatchHub& hub) : hub_(hub) {}

  grpc::Status Watch(grpc::ServerContext* context, const v1::WatchRequest* request,
                     grpc::ServerWriter<v1::WatchResponse>* writer) override {
    const absl::Status valid =
        model::ValidateText("gateway_id", request->gateway_id(), model::kMaxActorBytes);
    if (!valid.ok()) return ToGrpc(valid);
    const auto subscription =
        hub_.Subscribe(*request, context->peer(), [context] { context->TryCancel(); });
    if (!subscription.ok()) return ToGrpc(subscription.status());
    while (!context->IsCancelled()) {
      const absl::StatusOr<v1::WatchResponse> message = (*subscription)->Next();
      if (!message.ok()) return ToGrpc(message.status());
      if (!writer->Write(*message)) break;
    }
    return grpc::Status(grpc::StatusCode::CANCELLED, "the gateway has gone");
  }

 private:
  WatchHub& hub_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeRegistryService(Registry& registry, const WatchHub& hub,
                                                   std::string binary_version) {
  return std::make_unique<RegistryService>(registry, hub, std::move(binary_version));
}

std::unique_ptr<grpc::Service> MakeRoutingWatchService(WatchHub& hub) {
  return std::make_unique<RoutingWatchService>(hub);
}

}  // namespace pinion::service
