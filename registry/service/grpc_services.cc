#include "registry/service/grpc_services.h"

#include <grpcpp/server_context.h>

#include <functional>

#include "absl/strings/str_cat.h"
#include "base/log.h"
#include "pinion/registry/v1/registry.grpc.pb.h"
#include "pinion/registry/v1/watch.grpc.pb.h"
#include "registry/model/errors.h"
#include "registry/model/validate.h"
#include "registry/service/grpc_handler.h"
#include "registry/service/grpc_status.h"
#include "registry/service/operations.h"

namespace pinion::service {
namespace {

class RegistryService final : public v1::Registry::Service {
 public:
  RegistryService(Registry& registry, Gatekeeper* gatekeeper, const WatchHub& hub,
                  InstanceChecker& checker, std::string binary_version)
      : handler_(registry, gatekeeper),
        hub_(hub),
        checker_(checker),
        binary_version_(std::move(binary_version)) {}

#define PINION_OPERATION(Method, Response)                                                    \
  grpc::Status Method(grpc::ServerContext* context, const v1::Method##Request* request,       \
                      v1::Response* response) override {                                      \
    return handler_.Handle(*context, FullName(#Method), *request, response, service::Method); \
  }
  PINION_OPERATION(CreateService, Service)
  PINION_OPERATION(UpdateService, Service)
  PINION_OPERATION(GetService, Service)
  PINION_OPERATION(ListServices, ListServicesResponse)
  PINION_OPERATION(PublishVersion, PublishVersionResponse)
  PINION_OPERATION(GetVersion, Version)
  PINION_OPERATION(GetVersionSchema, GetVersionSchemaResponse)
  PINION_OPERATION(ListVersions, ListVersionsResponse)
  PINION_OPERATION(DeprecateVersion, VersionStateResponse)
  PINION_OPERATION(ReactivateVersion, VersionStateResponse)
  PINION_OPERATION(RetireVersion, VersionStateResponse)
  PINION_OPERATION(DeleteVersion, DeleteVersionResponse)
  PINION_OPERATION(ListRetirementBlockers, ListRetirementBlockersResponse)
  PINION_OPERATION(ActivateVersion, VersionStateResponse)
  PINION_OPERATION(CheckDeployment, CheckDeploymentResponse)
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
  PINION_OPERATION(StartJob, Job)
  PINION_OPERATION(GetJob, Job)
  PINION_OPERATION(ListJobs, ListJobsResponse)
  PINION_OPERATION(CancelJob, Job)
  PINION_OPERATION(Plan, PlanResponse)
  PINION_OPERATION(SetChannel, Channel)
  PINION_OPERATION(RampChannel, RampChannelResponse)
  PINION_OPERATION(GetChannel, Channel)
  PINION_OPERATION(ListChannels, ListChannelsResponse)
  PINION_OPERATION(SetEntitlement, SetEntitlementResponse)
  PINION_OPERATION(UnsetEntitlement, UnsetEntitlementResponse)
  PINION_OPERATION(GetEntitlement, Entitlement)
  PINION_OPERATION(ListEntitlements, ListEntitlementsResponse)
  PINION_OPERATION(ListAuditRecords, ListAuditRecordsResponse)
  PINION_OPERATION(GetRouting, GetRoutingResponse)
  PINION_OPERATION(ListUsage, ListUsageResponse)
  PINION_OPERATION(ListGateways, ListGatewaysResponse)
  PINION_OPERATION(ForgetGateway, ForgetGatewayResponse)
  PINION_OPERATION(GetAuditHead, AuditLogState)
  PINION_OPERATION(TrimAuditLog, TrimAuditLogResponse)
  PINION_OPERATION(MigrateStore, MigrateStoreResponse)
#undef PINION_OPERATION

  grpc::Status ReadAuditLog(grpc::ServerContext* context, const v1::ReadAuditLogRequest* request,
                            grpc::ServerWriter<v1::AuditLogPart>* writer) override {
    return Stream(*context, "ReadAuditLog", *request, writer, service::ReadAuditLog);
  }

  grpc::Status ReadBackup(grpc::ServerContext* context, const v1::ReadBackupRequest* request,
                          grpc::ServerWriter<v1::BackupPart>* writer) override {
    return Stream(*context, "ReadBackup", *request, writer, service::ReadBackup);
  }

  grpc::Status CheckInstance(grpc::ServerContext* context, const v1::CheckInstanceRequest* request,
                             v1::CheckInstanceResponse* response) override {
    const absl::StatusOr<Caller> caller =
        handler_.Allowed(*context, FullName("CheckInstance"), *request);
    if (!caller.ok()) return ToGrpc(caller.status());
    return Answer(checker_.CheckNow(*request), response);
  }

  grpc::Status GetStatus(grpc::ServerContext* context, const v1::GetStatusRequest* request,
                         v1::GetStatusResponse* response) override {
    grpc::Status status =
        handler_.Handle(*context, FullName("GetStatus"), *request, response, service::GetStatus);
    if (!status.ok()) return status;
    for (v1::GatewayStatus& gateway : hub_.Gateways())
      *response->add_gateways() = std::move(gateway);
    response->set_binary_version(binary_version_);
    return status;
  }

 private:
  static std::string FullName(const char* method) {
    return absl::StrCat(v1::Registry::service_full_name(), ".", method);
  }

  // An operation that answers with one message after the other.
  template <typename Request, typename Part>
  grpc::Status Stream(const grpc::ServerContext& context, const char* method,
                      const Request& request, grpc::ServerWriter<Part>* writer,
                      absl::Status (*operation)(Registry&, const Caller&, const Request&,
                                                const std::function<absl::Status(const Part&)>&)) {
    const absl::StatusOr<Caller> caller = handler_.Allowed(context, FullName(method), request);
    if (!caller.ok()) return ToGrpc(caller.status());
    return ToGrpc(operation(handler_.registry(), *caller, request, [writer](const Part& part) {
      return writer->Write(part) ? absl::OkStatus() : absl::CancelledError("the reader has gone");
    }));
  }

  const GrpcHandler handler_;
  const WatchHub& hub_;
  InstanceChecker& checker_;
  const std::string binary_version_;
};

// As many transactions as one call may ask for, one after another.
constexpr int kMaxProposals = 64;

// How often a watch asks whether its gateway still may: soon enough for who revokes, seldom enough
// for the store of a thousand gateways.
constexpr absl::Duration kBetweenChecks = absl::Seconds(1);

class RoutingWatchService final : public v1::RoutingWatch::Service {
 public:
  RoutingWatchService(Registry& registry, Gatekeeper* gatekeeper, WatchHub& hub)
      : handler_(registry, gatekeeper), registry_(registry), hub_(hub) {}

  grpc::Status Watch(grpc::ServerContext* context, const v1::WatchRequest* request,
                     grpc::ServerWriter<v1::WatchResponse>* writer) override {
    const absl::StatusOr<Caller> caller = handler_.Allowed(*context, FullName("Watch"), *request);
    if (!caller.ok()) return ToGrpc(caller.status());
    const absl::Status valid =
        model::ValidateText("gateway_id", request->gateway_id(), model::kMaxActorBytes);
    if (!valid.ok()) return ToGrpc(valid);
    absl::Time checked = registry_.clock().Monotonic();
    const auto subscription =
        hub_.Subscribe(*request, context->peer(), [context] { context->TryCancel(); });
    if (!subscription.ok()) return ToGrpc(subscription.status());
    while (!context->IsCancelled()) {
      const absl::StatusOr<v1::WatchResponse> message = (*subscription)->Next();
      if (!message.ok()) return ToGrpc(message.status());
      if (const absl::Time now = registry_.clock().Monotonic(); now - checked >= kBetweenChecks) {
        checked = now;
        const absl::Status still = CheckAllowed(registry_, *caller);
        if (!still.ok()) return ToGrpc(still);
      }
      if (!writer->Write(*message)) break;
    }
    return grpc::Status(grpc::StatusCode::CANCELLED, "the gateway has gone");
  }

  grpc::Status ProposePins(grpc::ServerContext* context, const v1::ProposePinsRequest* request,
                           v1::ProposePinsResponse* response) override {
    absl::StatusOr<Caller> caller = handler_.Allowed(*context, FullName("ProposePins"), *request);
    if (!caller.ok()) return ToGrpc(caller.status());
    const absl::Status valid = CheckProposals(*request);
    if (!valid.ok()) return ToGrpc(valid);
    if (handler_.gatekeeper() == nullptr) {
      caller->actor = absl::StrCat("gateway/", request->gateway_id());
    }
    for (const v1::PinProposal& proposal : request->proposals()) {
      if (context->IsCancelled()) break;
      const absl::StatusOr<v1::PinResponse> pin = Run(registry_, ProposePin, *caller, proposal);
      if (!pin.ok() && !model::IsRefusal(pin.status())) return ToGrpc(pin.status());
      if (!pin.ok()) {
        log::Warning("registry",
                     absl::StrCat("no pin for ", proposal.consumer(), ", as ", caller->actor,
                                  " proposed: ", pin.status().message()));
      }
      response->add_outcomes(!pin.ok()        ? v1::ProposePinsResponse::REFUSED
                             : pin->changed() ? v1::ProposePinsResponse::CREATED
                                              : v1::ProposePinsResponse::EXISTED);
    }
    return grpc::Status::OK;
  }

  grpc::Status ReportGateway(grpc::ServerContext* context, const v1::ReportGatewayRequest* request,
                             v1::ReportGatewayResponse* response) override {
    const absl::StatusOr<Caller> caller =
        handler_.Allowed(*context, FullName("ReportGateway"), *request);
    if (!caller.ok()) return ToGrpc(caller.status());
    const absl::Status ours = hub_.CheckRegistry(request->registry_id());
    if (!ours.ok()) return ToGrpc(ours);
    return Answer(service::ReportGateway(registry_, context->peer(), *request), response);
  }

 private:
  static std::string FullName(const char* method) {
    return absl::StrCat(v1::RoutingWatch::service_full_name(), ".", method);
  }

  absl::Status CheckProposals(const v1::ProposePinsRequest& request) const {
    RETURN_IF_ERROR(model::ValidateText("gateway_id", request.gateway_id(), model::kMaxActorBytes));
    RETURN_IF_ERROR(hub_.CheckRegistry(request.registry_id()));
    if (request.proposals_size() <= kMaxProposals) return absl::OkStatus();
    return model::Refusal(absl::StatusCode::kInvalidArgument, "ARGUMENT_INVALID",
                          absl::StrCat("at most ", kMaxProposals, " proposals at once"));
  }

  const GrpcHandler handler_;
  Registry& registry_;
  WatchHub& hub_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeRegistryService(Registry& registry, Gatekeeper* gatekeeper,
                                                   const WatchHub& hub, InstanceChecker& checker,
                                                   std::string binary_version) {
  return std::make_unique<RegistryService>(registry, gatekeeper, hub, checker,
                                           std::move(binary_version));
}

std::unique_ptr<grpc::Service> MakeRoutingWatchService(Registry& registry, Gatekeeper* gatekeeper,
                                                       WatchHub& hub) {
  return std::make_unique<RoutingWatchService>(registry, gatekeeper, hub);
}

}  // namespace pinion::service
