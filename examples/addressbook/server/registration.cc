#include "examples/addressbook/server/registration.h"

#include <grpcpp/grpcpp.h>

#include <iostream>
#include <utility>

#include "absl/memory/memory.h"
#include "base/address.h"
#include "base/clock.h"
#include "base/status_macros.h"

namespace addressbook {
namespace {

using pinion::registry::v1::DeregisterInstanceRequest;
using pinion::registry::v1::DeregisterInstanceResponse;
using pinion::registry::v1::RegisterInstanceRequest;
using pinion::registry::v1::RegisterInstanceResponse;
using pinion::registry::v1::RenewInstanceRequest;
using pinion::registry::v1::RenewInstanceResponse;

constexpr absl::Duration kCallTimeout = absl::Seconds(3);
constexpr absl::Duration kRetryDelay = absl::Seconds(1);

// Two renewals may fail before the lease expires.
constexpr int kRenewalsPerLease = 3;

absl::StatusOr<RegisterInstanceRequest> MakeRequest(const Registration::Options& options) {
  ASSIGN_OR_RETURN(const pinion::AddressParts parts,
                   pinion::ParseAddress(options.address, pinion::AddressUse::kRegister));
  RegisterInstanceRequest request;
  request.mutable_instance()->set_service(options.service);
  request.mutable_instance()->set_version(options.api_version);
  auto& address = *request.mutable_instance()->mutable_address()->mutable_socket_address();
  address.set_address(parts.host);
  address.set_port_value(parts.port);
  request.mutable_lease_ttl()->set_seconds(absl::ToInt64Seconds(options.lease));
  return request;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Registration>> Registration::Start(Options options) {
  ASSIGN_OR_RETURN(RegisterInstanceRequest request, MakeRequest(options));
  RETURN_IF_ERROR(pinion::dial::CheckCredentials(options.registry, options.credentials));
  return absl::WrapUnique(new Registration(std::move(options), std::move(request)));
}

Registration::Registration(Options options, RegisterInstanceRequest request)
    : options_(std::move(options)),
      request_(std::move(request)),
      connection_(options_.registry, options_.credentials, grpc::ChannelArguments()),
      registry_(pinion::registry::v1::Registry::NewStub(connection_.channel())),
      thread_(&Registration::Run, this) {}

Registration::~Registration() {
  stop_.Notify();
  thread_.join();
  if (uid_.empty()) return;
  DeregisterInstanceRequest request;
  request.set_uid(uid_);
  DeregisterInstanceResponse response;
  grpc::ClientContext context;
  Prepare(context);
  Report(registry_->DeregisterInstance(&context, request, &response));
}

void Registration::Prepare(grpc::ClientContext& context) {
  context.set_deadline(absl::ToChronoTime(pinion::SystemClock().Wall() + kCallTimeout));
  context.AddMetadata("pinion-actor", "addressbook-server");
  connection_.Authenticate(context);
}

void Registration::Run() {
  absl::Duration wait;
  while (!stop_.WaitForNotificationWithTimeout(wait)) {
    const grpc::Status status = uid_.empty() ? Register() : Renew();
    Report(status);
    wait = status.ok() ? options_.lease / kRenewalsPerLease : kRetryDelay;
  }
}

grpc::Status Registration::Register() {
  RegisterInstanceResponse response;
  grpc::ClientContext context;
  Prepare(context);
  const grpc::Status status = registry_->RegisterInstance(&context, request_, &response);
  if (status.ok()) {
    uid_ = response.instance().instance().uid();
    std::cout << "registered as " << uid_ << std::endl;
  }
  return status;
}

grpc::Status Registration::Renew() {
  RenewInstanceRequest request;
  request.set_uid(uid_);
  RenewInstanceResponse response;
  grpc::ClientContext context;
  Prepare(context);
  const grpc::Status status = registry_->RenewInstance(&context, request, &response);
  if (status.error_code() != grpc::StatusCode::NOT_FOUND) return status;
  // The lease has expired, for instance while this machine slept.
  uid_.clear();
  return Register();
}

void Registration::Report(const grpc::Status& status) {
  if (status.error_message() == last_error_) return;
  last_error_ = status.error_message();
  if (!status.ok())
    std::cerr << "registry " << options_.registry << ": " << last_error_ << std::endl;
}

}  // namespace addressbook
