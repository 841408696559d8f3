#include "registry/probe/health_client.h"

#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/impl/codegen/proto_utils.h>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "grpc/health/v1/health.pb.h"

namespace pinion::probe {
namespace {

using grpc::health::v1::HealthCheckRequest;
using grpc::health::v1::HealthCheckResponse;

// Of a version that has more, the first: each is a call.
constexpr size_t kServicesAsked = 16;

// gRPC tells the whole chain of what failed; its last link says why.
std::string Why(const std::string& message) {
  const size_t last = message.rfind(": ");
  return Quoted(last == message.npos ? message : message.substr(last + 2));
}

absl::StatusOr<HealthCheckResponse> Check(const Contact& contact, const std::string& service) {
  grpc::TemplatedGenericStub<HealthCheckRequest, HealthCheckResponse> stub(contact.channel);
  HealthCheckRequest request;
  request.set_service(service);
  HealthCheckResponse response;
  grpc::Status status;
  Steps steps(contact);
  const auto call = stub.PrepareUnaryCall(&steps.context(), "/grpc.health.v1.Health/Check", request,
                                          &steps.queue());
  call->StartCall();
  call->Finish(&response, &status, nullptr);
  steps.Wait();
  if (!status.ok()) return ToStatus(status);
  return response;
}

absl::Status NoAnswer(const absl::Status& status) {
  if (absl::IsDeadlineExceeded(status)) {
    return absl::UnavailableError("does not answer the registry in time");
  }
  if (absl::IsUnavailable(status)) {
    return absl::UnavailableError(
        absl::StrCat("does not answer the registry: ", Why(std::string(status.message()))));
  }
  return absl::UnavailableError(absl::StrCat(
      "fails when the registry asks for its health: ", absl::StatusCodeToString(status.code()), " ",
      Quoted(status.message())));
}

}  // namespace

absl::StatusOr<std::string> AskHealth(const Contact& contact,
                                      const std::vector<std::string>& grpc_services) {
  std::vector<std::string> names = {""};
  for (const std::string& name : grpc_services) {
    if (names.size() <= kServicesAsked) names.push_back(name);
  }
  for (const std::string& name : names) {
    const absl::StatusOr<HealthCheckResponse> response = Check(contact, name);
    switch (response.status().code()) {
      case absl::StatusCode::kOk:
        break;
      case absl::StatusCode::kNotFound:
        continue;
      case absl::StatusCode::kUnimplemented:
      case absl::StatusCode::kUnauthenticated:
      case absl::StatusCode::kPermissionDenied:
        return "";
      default:
        return NoAnswer(response.status());
    }
    if (response->status() == HealthCheckResponse::NOT_SERVING) {
      return absl::StrCat("says that it does not serve", name.empty() ? "" : " ", name);
    }
  }
  return "";
}

}  // namespace pinion::probe
