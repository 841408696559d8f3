#include "clients/cli/publish_trial.h"

#include <optional>
#include <string>
#include <utility>

#include "absl/strings/cord.h"
#include "base/clock.h"
#include "base/status_macros.h"
#include "clients/cli/pages.h"
#include "registry/compat/publication.h"
#include "registry/model/errors.h"
#include "registry/model/status_details.h"
#include "registry/schema/schema.h"
#include "registry/version/version_name.h"

namespace pinion::cli {
namespace {

// None: publishing makes it.
absl::StatusOr<std::optional<v1::Service>> FindService(Invocation& run, const std::string& name) {
  v1::GetServiceRequest request;
  request.set_name(name);
  absl::StatusOr<v1::Service> found = run.registry().GetService(request);
  if (absl::IsNotFound(found.status())) return std::nullopt;
  RETURN_IF_ERROR(found.status());
  return *std::move(found);
}

absl::Status CompareWith(Invocation& run, const routing::v1::Version& other,
                         compat::SchemaGate& gate) {
  ASSIGN_OR_RETURN(const bool concerns, gate.Concerns(other));
  if (!concerns) return absl::OkStatus();
  v1::GetVersionSchemaRequest request;
  request.set_service(other.service());
  request.set_name(other.name());
  ASSIGN_OR_RETURN(const v1::GetVersionSchemaResponse found,
                   run.registry().GetVersionSchema(request));
  return gate.Compare(other, found.descriptor_set());
}

// A refusal of ours as the registry would have sent it.
absl::Status AsSent(const absl::Status& status) {
  if (!status.GetPayload(model::kErrorInfoUrl).has_value()) return status;
  absl::Status sent(status.code(), status.message());
  sent.SetPayload(kStatusDetailsPayload, absl::Cord(model::StatusDetails(status)));
  return sent;
}

absl::StatusOr<v1::PublishVersionResponse> Answer(Invocation& run,
                                                  const v1::PublishVersionRequest& request,
                                                  std::string& waived) {
  std::optional<schema::Schema> schema;
  if (!request.descriptor_set().empty()) {
    ASSIGN_OR_RETURN(
        schema, schema::Schema::Parse(request.descriptor_set(), {request.grpc_services().begin(),
                                                                 request.grpc_services().end()}));
  }
  v1::PublishVersionResponse response;
  *response.mutable_version()->mutable_version() =
      compat::AskedVersion(request, schema.has_value() ? &*schema : nullptr);
  ASSIGN_OR_RETURN(const std::optional<v1::Service> service, FindService(run, request.service()));
  response.set_service_created(!service.has_value());
  routing::v1::Scheme scheme = routing::v1::SCHEME_UNSPECIFIED;
  if (service.has_value()) {
    scheme = service->service().scheme();
  } else {
    ASSIGN_OR_RETURN(scheme, compat::SchemeOfNewService(request));
  }
  ASSIGN_OR_RETURN(const version::VersionName name,
                   version::VersionName::Parse(scheme, request.name()));
  response.set_created(true);
  if (!service.has_value()) return response;

  v1::ListVersionsRequest list;
  list.set_service(request.service());
  ASSIGN_OR_RETURN(const v1::ListVersionsResponse others,
                   AllPages(run.registry(), &RegistryClient::ListVersions, list));
  for (const v1::Version& other : others.versions()) {
    if (other.version().name() != request.name()) continue;
    RETURN_IF_ERROR(compat::CheckIsSame(other, response.version().version()));
    *response.mutable_version() = other;
    response.set_created(false);
    return response;
  }
  if (!schema.has_value()) return response;
  compat::SchemaGate gate(response.version().version(), name, schema->files(),
                          {request.waivers().begin(), request.waivers().end()},
                          SystemClock().Wall());
  for (const v1::Version& other : others.versions()) {
    RETURN_IF_ERROR(CompareWith(run, other.version(), gate));
  }
  RETURN_IF_ERROR(gate.Verdict());
  waived = gate.waived();
  return response;
}

}  // namespace

absl::StatusOr<v1::PublishVersionResponse> TryPublish(Invocation& run,
                                                      const v1::PublishVersionRequest& request,
                                                      std::string& waived) {
  absl::StatusOr<v1::PublishVersionResponse> answer = Answer(run, request, waived);
  if (!answer.ok()) return AsSent(answer.status());
  return answer;
}

}  // namespace pinion::cli
