// The registry's operations, one function for each method of its API: Run(registry, SetPin, caller,
// request). Each reads through the draft, decides by the rules of model/, and puts what follows
// into the draft; Run commits it. Errors are those of registry.proto.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "pinion/registry/v1/registry.pb.h"
#include "pinion/registry/v1/watch.pb.h"
#include "registry/model/usage.h"
#include "registry/schema/schema.h"
#include "registry/service/draft.h"
#include "registry/service/registry.h"

namespace pinion::service {

namespace v1 = registry::v1;

// ---- services.cc ----
absl::StatusOr<v1::Service> CreateService(Draft& draft, const v1::CreateServiceRequest& request);
absl::StatusOr<v1::Service> UpdateService(Draft& draft, const v1::UpdateServiceRequest& request);
absl::StatusOr<v1::Service> GetService(Draft& draft, const v1::GetServiceRequest& request);
absl::StatusOr<v1::ListServicesResponse> ListServices(Draft& draft,
                                                      const v1::ListServicesRequest& request);

// ---- versions.cc ----
// Reads the descriptor set, and publishes.
absl::StatusOr<v1::PublishVersionResponse> PublishVersion(Registry& registry, const Caller& caller,
                                                          const v1::PublishVersionRequest& request);
absl::StatusOr<v1::Version> GetVersion(Draft& draft, const v1::GetVersionRequest& request);
absl::StatusOr<v1::GetVersionSchemaResponse> GetVersionSchema(
    Draft& draft, const v1::GetVersionSchemaRequest& request);
absl::StatusOr<v1::ListVersionsResponse> ListVersions(Draft& draft,
                                                      const v1::ListVersionsRequest& request);

// ---- lifecycle.cc ----
absl::StatusOr<v1::VersionStateResponse> DeprecateVersion(
    Draft& draft, const v1::DeprecateVersionRequest& request);
absl::StatusOr<v1::VersionStateResponse> ReactivateVersion(
    Draft& draft, const v1::ReactivateVersionRequest& request);
// Carries out the sunsets whose time has come, each as a change of its own by the actor "registry",
// some dozens at once. The number of them, or the first error, which holds up none but its own.
absl::StatusOr<int> SunsetDueVersions(Registry& registry);

// ---- retirement.cc ----
// Retires, and then frees what the version held.
absl::StatusOr<v1::VersionStateResponse> RetireVersion(Registry& registry, const Caller& caller,
                                                       const v1::RetireVersionRequest& request);
absl::StatusOr<v1::ListRetirementBlockersResponse> ListRetirementBlockers(
    Draft& draft, const v1::ListRetirementBlockersRequest& request);
// Of one that was never active.
absl::StatusOr<v1::DeleteVersionResponse> DeleteVersion(Draft& draft,
                                                        const v1::DeleteVersionRequest& request);
// Goes on with the freeing that was cut short. The first error, which holds up none but its own.
absl::Status FreeRetired(Registry& registry);

// ---- deployment.cc ----
// Of a step of a database, with the retirement of what it ends.
absl::StatusOr<v1::VersionStateResponse> ActivateVersion(Draft& draft,
                                                         const v1::ActivateVersionRequest& request);
absl::StatusOr<v1::CheckDeploymentResponse> CheckDeployment(
    Draft& draft, const v1::CheckDeploymentRequest& request);

// ---- instances.cc ----
// Grants the lease, if one is asked for, and then registers.
absl::StatusOr<v1::RegisterInstanceResponse> RegisterInstance(
    Registry& registry, const Caller& caller, const v1::RegisterInstanceRequest& request);
absl::StatusOr<v1::RenewInstanceResponse> RenewInstance(Draft& draft,
                                                        const v1::RenewInstanceRequest& request);
absl::StatusOr<v1::DeregisterInstanceResponse> DeregisterInstance(
    Registry& registry, const Caller& caller, const v1::DeregisterInstanceRequest& request);
absl::StatusOr<v1::ListInstancesResponse> ListInstances(Draft& draft,
                                                        const v1::ListInstancesRequest& request);
// Deregisters all instances of a version, each as a change of its own. Errors as ExpireLeases().
absl::Status DeregisterAll(Registry& registry, const Caller& caller, const std::string& service,
                           const std::string& version, const std::string& reason);
// Deregisters the instances whose leases have run out, each as a change of its own by the actor
// "registry". The number of them, or the first error, which holds up none but its own.
absl::StatusOr<int> ExpireLeases(Registry& registry);

// ---- consumers.cc ----
absl::StatusOr<v1::Consumer> CreateConsumer(Draft& draft, const v1::CreateConsumerRequest& request);
absl::StatusOr<v1::Consumer> UpdateConsumer(Draft& draft, const v1::UpdateConsumerRequest& request);
absl::StatusOr<v1::Consumer> GetConsumer(Draft& draft, const v1::GetConsumerRequest& request);
absl::StatusOr<v1::ListConsumersResponse> ListConsumers(Draft& draft,
                                                        const v1::ListConsumersRequest& request);

// ---- pins.cc ----
absl::StatusOr<v1::PinResponse> SetPin(Draft& draft, const v1::SetPinRequest& request);
absl::StatusOr<v1::UnsetPinResponse> UnsetPin(Draft& draft, const v1::UnsetPinRequest& request);
absl::StatusOr<v1::PinResponse> RollbackPin(Draft& draft, const v1::RollbackPinRequest& request);
// The pin that a consumer's first call asks for. Made, if there is none, for the consumer's owner;
// `changed` is false if there is one, whatever it says. FailedPrecondition: the service's policy is
// not pin_on_first_call (POLICY_CHANGED), or calls cannot choose the version.
absl::StatusOr<v1::PinResponse> ProposePin(Draft& draft, const v1::PinProposal& proposal);

// ---- pin_lists.cc ----
absl::StatusOr<v1::Pin> GetPin(Draft& draft, const v1::GetPinRequest& request);
absl::StatusOr<v1::ListPinsResponse> ListPins(Draft& draft, const v1::ListPinsRequest& request);
absl::StatusOr<v1::ListPinHistoryResponse> ListPinHistory(Draft& draft,
                                                          const v1::ListPinHistoryRequest& request);

// ---- jobs.cc ----
absl::StatusOr<v1::Job> StartJob(Draft& draft, const v1::StartJobRequest& request);
absl::StatusOr<v1::Job> GetJob(Draft& draft, const v1::GetJobRequest& request);
absl::StatusOr<v1::ListJobsResponse> ListJobs(Draft& draft, const v1::ListJobsRequest& request);
absl::StatusOr<v1::Job> CancelJob(Draft& draft, const v1::CancelJobRequest& request);

// ---- job_runner.cc ----
// Whether a job may go on: PermissionDenied says why not.
using JobRights = std::function<absl::Status(Draft& draft, const v1::JobRecord& record)>;
// Goes on with the jobs whose time has come, some hundred pins of each, as the actors who have
// started them. One that `rights` denies ends. True: there is more to do now. The first error,
// which holds up none but its own.
absl::StatusOr<bool> RunJobs(Registry& registry, const JobRights& rights = {});

// ---- plan.cc ----
// Drafts the change and commits nothing.
absl::StatusOr<v1::PlanResponse> Plan(Registry& registry, const Caller& caller,
                                      const v1::PlanRequest& request);

// ---- channels.cc ----
absl::StatusOr<v1::Channel> SetChannel(Draft& draft, const v1::SetChannelRequest& request);
absl::StatusOr<v1::RampChannelResponse> RampChannel(Draft& draft,
                                                    const v1::RampChannelRequest& request);
absl::StatusOr<v1::Channel> GetChannel(Draft& draft, const v1::GetChannelRequest& request);
absl::StatusOr<v1::ListChannelsResponse> ListChannels(Draft& draft,
                                                      const v1::ListChannelsRequest& request);

// ---- entitlements.cc ----
absl::StatusOr<v1::SetEntitlementResponse> SetEntitlement(Draft& draft,
                                                          const v1::SetEntitlementRequest& request);
absl::StatusOr<v1::UnsetEntitlementResponse> UnsetEntitlement(
    Draft& draft, const v1::UnsetEntitlementRequest& request);
absl::StatusOr<v1::Entitlement> GetEntitlement(Draft& draft,
                                               const v1::GetEntitlementRequest& request);
absl::StatusOr<v1::ListEntitlementsResponse> ListEntitlements(
    Draft& draft, const v1::ListEntitlementsRequest& request);

// ---- gateway_reports.cc ----
// Takes over what a gateway at `peer` reports, in as many transactions as that needs, once.
absl::StatusOr<v1::ReportGatewayResponse> ReportGateway(Registry& registry, const std::string& peer,
                                                        const v1::ReportGatewayRequest& request);

// ---- gateways.cc ----
absl::StatusOr<v1::ListGatewaysResponse> ListGateways(Draft& draft,
                                                      const v1::ListGatewaysRequest& request);
absl::StatusOr<v1::ForgetGatewayResponse> ForgetGateway(Draft& draft,
                                                        const v1::ForgetGatewayRequest& request);
// What those said last that are heard. Not remembered.
absl::StatusOr<std::vector<v1::GatewayRecord>> LiveGateways(Draft& draft);
// Deletes what gateways have said that were not heard for a day, some dozens at once.
absl::Status ForgetOldGateways(Registry& registry);

// ---- usage.cc ----
absl::StatusOr<v1::ListUsageResponse> ListUsage(Draft& draft, const v1::ListUsageRequest& request);
// Who called a version in the last `window`, by consumer. Not remembered.
absl::StatusOr<std::vector<model::CallerUse>> CallersWithin(Draft& draft,
                                                            const model::VersionRef& version,
                                                            absl::Duration window);
// Deletes hours beyond model::kUsageRetention, some dozens of records at once.
absl::Status ForgetOldUsage(Registry& registry);

// ---- overview.cc ----
absl::StatusOr<v1::ListAuditRecordsResponse> ListAuditRecords(
    Draft& draft, const v1::ListAuditRecordsRequest& request);
// Without the gateways, which the watch hub knows.
absl::StatusOr<v1::GetStatusResponse> GetStatus(Draft& draft, const v1::GetStatusRequest& request);
absl::StatusOr<v1::GetRoutingResponse> GetRouting(Draft& draft,
                                                  const v1::GetRoutingRequest& request);

// ---- audit_log.cc ----
absl::StatusOr<v1::AuditLogState> GetAuditHead(Draft& draft,
                                               const v1::GetAuditHeadRequest& request);
// Takes one message after the other; an error ends the reading.
using AuditLogSink = std::function<absl::Status(const v1::AuditLogPart&)>;
absl::Status ReadAuditLog(Registry& registry, const Caller& caller,
                          const v1::ReadAuditLogRequest& request, const AuditLogSink& send);
absl::StatusOr<v1::TrimAuditLogResponse> TrimAuditLog(Draft& draft,
                                                      const v1::TrimAuditLogRequest& request);

// ---- store_migration.cc ----
absl::StatusOr<v1::MigrateStoreResponse> MigrateStore(Draft& draft,
                                                      const v1::MigrateStoreRequest& request);

// ---- backup.cc ----
using BackupSink = std::function<absl::Status(const v1::BackupPart&)>;
absl::Status ReadBackup(Registry& registry, const Caller& caller,
                        const v1::ReadBackupRequest& request, const BackupSink& send);

}  // namespace pinion::service
