#include "clients/cli/registry_client.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/clock.h"
#include "base/error_info.h"
#include "base/status_macros.h"
#include "dial/registry_connection.h"
#include "grpcpp/channel.h"
#include "grpcpp/client_context.h"
#include "pinion/registry/v1/access.grpc.pb.h"
#include "pinion/registry/v1/registry.grpc.pb.h"

namespace pinion::cli {
namespace {

// A descriptor set with all imports of a large repository is some megabytes.
constexpr int kMaxMessageBytes = 64 << 20;
// No more often than registries put up with.
constexpr int kKeepaliveMs = 10'000;
// A replica that cannot be reached is left for the next one.
constexpr absl::Duration kReplicaPatience = absl::Seconds(2);

// Whether the error is a gateway's refusal: a call of the registry's API was routed like any other.
bool FromGateway(const grpc::Status& status) {
  return ErrorInfoIn(status.error_details()).domain == "pinion";
}

// Why a connection by TLS was not made, as far as gRPC says; empty: it was not that.
std::string TlsProblem(const std::string& message, const std::string& address, bool tls) {
  if (absl::StrContains(message, "CERTIFICATE_VERIFY_FAILED") ||
      absl::StrContains(message, "certificate verify failed") ||
      absl::StrContains(message, "Hostname Verification")) {
    return absl::StrCat(
        "the registry at ", address,
        " cannot be told to be the right one: its certificate is signed by another CA than "
        "--tls-ca, has expired, or is for another name (--tls-name)");
  }
  const bool closed = absl::StrContains(message, "Socket closed");
  if (absl::StrContains(message, "handshake") || absl::StrContains(message, "Handshake") ||
      (tls && closed)) {
    return absl::StrCat(
        "the registry at ", address,
        " ended the handshake: it speaks without TLS, it wants a client certificate (--tls-cert "
        "and --tls-key), or it does not accept this one, for example because it has expired");
  }
  if (!closed) return "";
  return absl::StrCat("the registry at ", address,
                      " closed the connection: if it speaks TLS, write https://", address,
                      " or name its CA with --tls-ca");
}

absl::Status ToStatus(const grpc::Status& status, const std::string& address,
                      absl::Duration timeout, bool tls) {
  if (status.ok()) return absl::OkStatus();
  const auto code = static_cast<absl::StatusCode>(status.error_code());
  std::string message = status.error_message();
  switch (code) {
    case absl::StatusCode::kUnavailable:
      if (FromGateway(status)) break;
      if (std::string problem = TlsProblem(message, address, tls); !problem.empty()) {
        message = std::move(problem);
        break;
      }
      // gRPC tells the whole chain of what failed; its last link says why.
      if (const size_t last = message.rfind(": "); last != message.npos) {
        message = message.substr(last + 2);
      }
      message = absl::StrCat("no registry at ", address, " (", message,
                             "): start `pinion serve` or name it with --registry");
      break;
    case absl::StatusCode::kCancelled:
      message =
          absl::StrCat("the registry at ", address, " is stopping and ended the call: ask again");
      break;
    case absl::StatusCode::kDeadlineExceeded:
      message = absl::StrCat(
          "the registry at ", address, " did not answer within ", absl::FormatDuration(timeout),
          ": is it the right address (--registry)? `pinion status` shows whether "
          "it answers at all");
      break;
    case absl::StatusCode::kUnimplemented:
      message =
          FromGateway(status)
              ? absl::StrCat(address,
                             " is a gateway, not a registry: name the registry with "
                             "--registry (`pinion serve` prints its address)")
              : absl::StrCat("the registry at ", address, " does not know this command (", message,
                             "): it is older than this program, or no registry at all; use "
                             "the `pinion` that it was started with");
      break;
    default:
      break;
  }
  absl::Status result(code, message);
  if (!status.error_details().empty()) {
    result.SetPayload(kStatusDetailsPayload, absl::Cord(status.error_details()));
  }
  return result;
}

}  // namespace

std::string ReasonOf(const absl::Status& status) {
  const absl::optional<absl::Cord> details = status.GetPayload(kStatusDetailsPayload);
  return details.has_value() ? ErrorInfoIn(std::string(*details)).reason : "";
}

absl::Status WithMessage(const absl::Status& status, absl::string_view message) {
  absl::Status result(status.code(), message);
  if (const auto details = status.GetPayload(kStatusDetailsPayload)) {
    result.SetPayload(kStatusDetailsPayload, *details);
  }
  return result;
}

class RegistryClient::Impl {
 public:
  explicit Impl(Target target) : target_(std::move(target)) {}
  explicit Impl(absl::Status unusable) : unusable_(std::move(unusable)) {}

  // Valid until the next call.
  v1::Registry::Stub& registry() {
    Connect();
    return *registry_;
  }
  v1::Access::Stub& access() {
    Connect();
    return *access_;
  }

  template <typename Stub, typename Request, typename Response>
  absl::StatusOr<Response> Call(Stub& (Impl::*stub)(),
                                grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&,
                                                             Response*),
                                const Request& request,
                                absl::Duration patience = absl::InfiniteDuration()) {
    RETURN_IF_ERROR(unusable_);
    Stub& connected = (this->*stub)();
    grpc::ClientContext context;
    connection_->Authenticate(context);
    const absl::Duration timeout = std::min(patience, target_.timeout);
    context.set_deadline(absl::ToChronoTime(SystemClock().Wall() + timeout));
    context.AddMetadata("pinion-actor", target_.actor);
    Response response;
    const grpc::Status status = (connected.*method)(&context, request, &response);
    if (status.ok()) return response;
    const absl::Status error = Explain(status, timeout);
    // What was asked may have been done, so it is not asked twice. The next call begins with the
    // next replica, or a new connection: this one may have vanished without a word.
    if (absl::IsUnavailable(error) || absl::IsDeadlineExceeded(error)) MoveOn();
    return error;
  }

  // No deadline: it takes as long as there is something to send.
  template <typename Request, typename Part>
  absl::Status Stream(std::unique_ptr<grpc::ClientReader<Part>> (v1::Registry::Stub::*method)(
                          grpc::ClientContext*, const Request&),
                      const Request& request,
                      const std::function<absl::Status(const Part&)>& take) {
    RETURN_IF_ERROR(unusable_);
    Connect();
    grpc::ClientContext context;
    connection_->Authenticate(context);
    context.AddMetadata("pinion-actor", target_.actor);
    const auto reader = (registry_.get()->*method)(&context, request);
    Part part;
    absl::Status taken;
    while (taken.ok() && reader->Read(&part)) taken = take(part);
    if (!taken.ok()) context.TryCancel();
    const grpc::Status status = reader->Finish();
    return taken.ok() ? Explain(status, target_.timeout) : taken;
  }

 private:
  absl::Status Explain(const grpc::Status& status, absl::Duration timeout) const {
    return ToStatus(status, target_.addresses[at_], timeout, target_.credentials.tls);
  }

  void MoveOn() {
    connection_.reset();
    at_ = (at_ + 1) % target_.addresses.size();
  }

  std::unique_ptr<dial::RegistryConnection> ConnectionTo(const std::string& address) const {
    grpc::ChannelArguments arguments;
    arguments.SetMaxReceiveMessageSize(kMaxMessageBytes);
    // Calls without a deadline notice a registry that has vanished.
    arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveMs);
    return std::make_unique<dial::RegistryConnection>(address, target_.credentials, arguments);
  }

  // To the first replica that answers, from the one that is due on; if none does, calls say so.
  void Connect() {
    if (connection_ != nullptr) return;
    const std::vector<std::string>& addresses = target_.addresses;
    connection_ = ConnectionTo(addresses[at_]);
    for (size_t tried = 0; addresses.size() > 1 && tried < addresses.size(); ++tried) {
      if (tried > 0) {
        at_ = (at_ + 1) % addresses.size();
        connection_ = ConnectionTo(addresses[at_]);
      }
      const absl::Time until = SystemClock().Wall() + std::min(target_.timeout, kReplicaPatience);
      if (connection_->channel()->WaitForConnected(absl::ToChronoTime(until))) break;
    }
    registry_ = v1::Registry::NewStub(connection_->channel());
    access_ = v1::Access::NewStub(connection_->channel());
  }

  const Target target_;
  const absl::Status unusable_;  // why nothing is ever asked
  size_t at_ = 0;                // of the addresses: the one to ask
  std::unique_ptr<dial::RegistryConnection> connection_;
  std::unique_ptr<v1::Registry::Stub> registry_;
  std::unique_ptr<v1::Access::Stub> access_;
};

RegistryClient::RegistryClient(Target target) : impl_(std::make_unique<Impl>(std::move(target))) {}
RegistryClient::RegistryClient(absl::Status unusable)
    : impl_(std::make_unique<Impl>(std::move(unusable))) {}
RegistryClient::~RegistryClient() = default;

#define PINION_RPC(Method, Response)                                                        \
  absl::StatusOr<v1::Response> RegistryClient::Method(const v1::Method##Request& request) { \
    return impl_->Call<v1::Registry::Stub, v1::Method##Request, v1::Response>(              \
        &Impl::registry, &v1::Registry::Stub::Method, request);                             \
  }

PINION_RPC(CreateService, Service)
PINION_RPC(UpdateService, Service)
PINION_RPC(GetService, Service)
PINION_RPC(ListServices, ListServicesResponse)
PINION_RPC(PublishVersion, PublishVersionResponse)
PINION_RPC(GetVersion, Version)
PINION_RPC(GetVersionSchema, GetVersionSchemaResponse)
PINION_RPC(ListVersions, ListVersionsResponse)
PINION_RPC(DeprecateVersion, VersionStateResponse)
PINION_RPC(ReactivateVersion, VersionStateResponse)
PINION_RPC(RetireVersion, VersionStateResponse)
PINION_RPC(DeleteVersion, DeleteVersionResponse)
PINION_RPC(ListRetirementBlockers, ListRetirementBlockersResponse)
PINION_RPC(ActivateVersion, VersionStateResponse)
PINION_RPC(CheckDeployment, CheckDeploymentResponse)
PINION_RPC(RegisterInstance, RegisterInstanceResponse)
PINION_RPC(DeregisterInstance, DeregisterInstanceResponse)
PINION_RPC(ListInstances, ListInstancesResponse)
PINION_RPC(CheckInstance, CheckInstanceResponse)
PINION_RPC(CreateConsumer, Consumer)
PINION_RPC(UpdateConsumer, Consumer)
PINION_RPC(GetConsumer, Consumer)
PINION_RPC(ListConsumers, ListConsumersResponse)
PINION_RPC(SetPin, PinResponse)
PINION_RPC(UnsetPin, UnsetPinResponse)
PINION_RPC(RollbackPin, PinResponse)
PINION_RPC(GetPin, Pin)
PINION_RPC(ListPins, ListPinsResponse)
PINION_RPC(ListPinHistory, ListPinHistoryResponse)
PINION_RPC(StartJob, Job)
PINION_RPC(GetJob, Job)
PINION_RPC(ListJobs, ListJobsResponse)
PINION_RPC(CancelJob, Job)
PINION_RPC(Plan, PlanResponse)
PINION_RPC(SetChannel, Channel)
PINION_RPC(RampChannel, RampChannelResponse)
PINION_RPC(GetChannel, Channel)
PINION_RPC(ListChannels, ListChannelsResponse)
PINION_RPC(SetEntitlement, SetEntitlementResponse)
PINION_RPC(UnsetEntitlement, UnsetEntitlementResponse)
PINION_RPC(GetEntitlement, Entitlement)
PINION_RPC(ListEntitlements, ListEntitlementsResponse)
PINION_RPC(ListAuditRecords, ListAuditRecordsResponse)
PINION_RPC(GetStatus, GetStatusResponse)
PINION_RPC(GetRouting, GetRoutingResponse)
PINION_RPC(ListUsage, ListUsageResponse)
PINION_RPC(ListGateways, ListGatewaysResponse)
PINION_RPC(ForgetGateway, ForgetGatewayResponse)
PINION_RPC(GetAuditHead, AuditLogState)
PINION_RPC(TrimAuditLog, TrimAuditLogResponse)
PINION_RPC(MigrateStore, MigrateStoreResponse)

#undef PINION_RPC

absl::StatusOr<v1::RenewInstanceResponse> RegistryClient::RenewInstance(
    const v1::RenewInstanceRequest& request, absl::Duration patience) {
  return impl_->Call<v1::Registry::Stub, v1::RenewInstanceRequest, v1::RenewInstanceResponse>(
      &Impl::registry, &v1::Registry::Stub::RenewInstance, request, patience);
}

absl::Status RegistryClient::ReadAuditLog(
    const v1::ReadAuditLogRequest& request,
    const std::function<absl::Status(const v1::AuditLogPart&)>& take) {
  return impl_->Stream(&v1::Registry::Stub::ReadAuditLog, request, take);
}

absl::Status RegistryClient::ReadBackup(
    const v1::ReadBackupRequest& request,
    const std::function<absl::Status(const v1::BackupPart&)>& take) {
  return impl_->Stream(&v1::Registry::Stub::ReadBackup, request, take);
}

#define PINION_RPC(Method)                                                           \
  absl::StatusOr<v1::Method##Response> RegistryClient::Method(                       \
      const v1::Method##Request& request) {                                          \
    return impl_->Call<v1::Access::Stub, v1::Method##Request, v1::Method##Response>( \
        &Impl::access, &v1::Access::Stub::Method, request);                          \
  }

PINION_RPC(WhoAmI)
PINION_RPC(AddGrant)
PINION_RPC(RemoveGrant)
PINION_RPC(ListGrants)
PINION_RPC(CreateToken)
PINION_RPC(RevokeToken)
PINION_RPC(ListTokens)

#undef PINION_RPC

}  // namespace pinion::cli
