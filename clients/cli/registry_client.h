// The registry's API as the command line uses it: blocking calls whose errors are sentences that
// say what to do. Hides gRPC. One thread.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "dial/credentials.h"
#include "pinion/registry/v1/access.pb.h"
#include "pinion/registry/v1/registry.pb.h"

namespace pinion::cli {

namespace v1 = pinion::registry::v1;

// An error's google.rpc.Status as the registry sent it, serialised, is its payload of this name.
inline constexpr char kStatusDetailsPayload[] = "type.googleapis.com/google.rpc.Status";

// The reason of the google.rpc.ErrorInfo in that; empty: none.
std::string ReasonOf(const absl::Status& status);
// The same refusal in other words.
absl::Status WithMessage(const absl::Status& status, absl::string_view message);

class RegistryClient {
 public:
  struct Target {
    // "127.0.0.1:8081", "[::1]:8081", "host:8081" or "unix:/run/pinion.sock"; if several, of
    // replicas, and the first that can be reached is asked, until it does not answer a call; then
    // the next. At least one.
    std::vector<std::string> addresses;
    // Who makes changes, where the registry does not ask for credentials.
    std::string actor;
    absl::Duration timeout;  // of each call
    dial::Credentials credentials;
  };
  explicit RegistryClient(Target target);
  // Every call fails like this.
  explicit RegistryClient(absl::Status unusable);
  ~RegistryClient();

  // Each as in registry.proto. Unavailable and DeadlineExceeded: no registry answers at the
  // address.
  absl::StatusOr<v1::Service> CreateService(const v1::CreateServiceRequest& request);
  absl::StatusOr<v1::Service> UpdateService(const v1::UpdateServiceRequest& request);
  absl::StatusOr<v1::Service> GetService(const v1::GetServiceRequest& request);
  absl::StatusOr<v1::ListServicesResponse> ListServices(const v1::ListServicesRequest& request);
  absl::StatusOr<v1::PublishVersionResponse> PublishVersion(
      const v1::PublishVersionRequest& request);
  absl::StatusOr<v1::Version> GetVersion(const v1::GetVersionRequest& request);
  absl::StatusOr<v1::GetVersionSchemaResponse> GetVersionSchema(
      const v1::GetVersionSchemaRequest& request);
  absl::StatusOr<v1::ListVersionsResponse> ListVersions(const v1::ListVersionsRequest& request);
  absl::StatusOr<v1::VersionStateResponse> DeprecateVersion(
      const v1::DeprecateVersionRequest& request);
  absl::StatusOr<v1::VersionStateResponse> ReactivateVersion(
      const v1::ReactivateVersionRequest& request);
  absl::StatusOr<v1::VersionStateResponse> RetireVersion(const v1::RetireVersionRequest& request);
  absl::StatusOr<v1::DeleteVersionResponse> DeleteVersion(const v1::DeleteVersionRequest& request);
  absl::StatusOr<v1::ListRetirementBlockersResponse> ListRetirementBlockers(
      const v1::ListRetirementBlockersRequest& request);
  absl::StatusOr<v1::VersionStateResponse> ActivateVersion(
      const v1::ActivateVersionRequest& request);
  absl::StatusOr<v1::CheckDeploymentResponse> CheckDeployment(
      const v1::CheckDeploymentRequest& request);
  absl::StatusOr<v1::RegisterInstanceResponse> RegisterInstance(
      const v1::RegisterInstanceRequest& request);
  // `patience`: how long it may take, if that is less than what the target says.
  absl::StatusOr<v1::RenewInstanceResponse> RenewInstance(const v1::RenewInstanceRequest& request,
                                                          absl::Duration patience);
  absl::StatusOr<v1::DeregisterInstanceResponse> DeregisterInstance(
      const v1::DeregisterInstanceRequest& request);
  absl::StatusOr<v1::ListInstancesResponse> ListInstances(const v1::ListInstancesRequest& request);
  absl::StatusOr<v1::CheckInstanceResponse> CheckInstance(const v1::CheckInstanceRequest& request);
  absl::StatusOr<v1::Consumer> CreateConsumer(const v1::CreateConsumerRequest& request);
  absl::StatusOr<v1::Consumer> UpdateConsumer(const v1::UpdateConsumerRequest& request);
  absl::StatusOr<v1::Consumer> GetConsumer(const v1::GetConsumerRequest& request);
  absl::StatusOr<v1::ListConsumersResponse> ListConsumers(const v1::ListConsumersRequest& request);
  absl::StatusOr<v1::PinResponse> SetPin(const v1::SetPinRequest& request);
  absl::StatusOr<v1::UnsetPinResponse> UnsetPin(const v1::UnsetPinRequest& request);
  absl::StatusOr<v1::PinResponse> RollbackPin(const v1::RollbackPinRequest& request);
  absl::StatusOr<v1::Pin> GetPin(const v1::GetPinRequest& request);
  absl::StatusOr<v1::ListPinsResponse> ListPins(const v1::ListPinsRequest& request);
  absl::StatusOr<v1::ListPinHistoryResponse> ListPinHistory(
      const v1::ListPinHistoryRequest& request);
  absl::StatusOr<v1::Job> StartJob(const v1::StartJobRequest& request);
  absl::StatusOr<v1::Job> GetJob(const v1::GetJobRequest& request);
  absl::StatusOr<v1::ListJobsResponse> ListJobs(const v1::ListJobsRequest& request);
  absl::StatusOr<v1::Job> CancelJob(const v1::CancelJobRequest& request);
  absl::StatusOr<v1::PlanResponse> Plan(const v1::PlanRequest& request);
  absl::StatusOr<v1::Channel> SetChannel(const v1::SetChannelRequest& request);
  absl::StatusOr<v1::RampChannelResponse> RampChannel(const v1::RampChannelRequest& request);
  absl::StatusOr<v1::Channel> GetChannel(const v1::GetChannelRequest& request);
  absl::StatusOr<v1::ListChannelsResponse> ListChannels(const v1::ListChannelsRequest& request);
  absl::StatusOr<v1::SetEntitlementResponse> SetEntitlement(
      const v1::SetEntitlementRequest& request);
  absl::StatusOr<v1::UnsetEntitlementResponse> UnsetEntitlement(
      const v1::UnsetEntitlementRequest& request);
  absl::StatusOr<v1::Entitlement> GetEntitlement(const v1::GetEntitlementRequest& request);
  absl::StatusOr<v1::ListEntitlementsResponse> ListEntitlements(
      const v1::ListEntitlementsRequest& request);
  absl::StatusOr<v1::ListAuditRecordsResponse> ListAuditRecords(
      const v1::ListAuditRecordsRequest& request);
  absl::StatusOr<v1::GetStatusResponse> GetStatus(const v1::GetStatusRequest& request);
  absl::StatusOr<v1::GetRoutingResponse> GetRouting(const v1::GetRoutingRequest& request);
  absl::StatusOr<v1::ListUsageResponse> ListUsage(const v1::ListUsageRequest& request);
  absl::StatusOr<v1::ListGatewaysResponse> ListGateways(const v1::ListGatewaysRequest& request);
  absl::StatusOr<v1::ForgetGatewayResponse> ForgetGateway(const v1::ForgetGatewayRequest& request);
  absl::StatusOr<v1::AuditLogState> GetAuditHead(const v1::GetAuditHeadRequest& request);
  absl::StatusOr<v1::TrimAuditLogResponse> TrimAuditLog(const v1::TrimAuditLogRequest& request);
  absl::StatusOr<v1::MigrateStoreResponse> MigrateStore(const v1::MigrateStoreRequest& request);

  // One message after the other, however long that takes. An error of `take` ends it.
  absl::Status ReadAuditLog(const v1::ReadAuditLogRequest& request,
                            const std::function<absl::Status(const v1::AuditLogPart&)>& take);
  absl::Status ReadBackup(const v1::ReadBackupRequest& request,
                          const std::function<absl::Status(const v1::BackupPart&)>& take);

  // As in access.proto.
  absl::StatusOr<v1::WhoAmIResponse> WhoAmI(const v1::WhoAmIRequest& request);
  absl::StatusOr<v1::AddGrantResponse> AddGrant(const v1::AddGrantRequest& request);
  absl::StatusOr<v1::RemoveGrantResponse> RemoveGrant(const v1::RemoveGrantRequest& request);
  absl::StatusOr<v1::ListGrantsResponse> ListGrants(const v1::ListGrantsRequest& request);
  absl::StatusOr<v1::CreateTokenResponse> CreateToken(const v1::CreateTokenRequest& request);
  absl::StatusOr<v1::RevokeTokenResponse> RevokeToken(const v1::RevokeTokenRequest& request);
  absl::StatusOr<v1::ListTokensResponse> ListTokens(const v1::ListTokensRequest& request);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace pinion::cli
