// Operations on services.
#include "absl/strings/str_cat.h"
#include "google/protobuf/util/message_differencer.h"
#include "registry/model/errors.h"
#include "registry/model/keys.h"
#include "registry/model/requirements.h"
#include "registry/model/validate.h"
#include "registry/service/lookups.h"
#include "registry/service/operations.h"

namespace pinion::service {
namespace {

using google::protobuf::util::MessageDifferencer;

// Whether what exists is what a create asks for.
bool IsSame(const v1::Service& there, const v1::CreateServiceRequest& request) {
  routing::v1::Service asked = request.service();
  *asked.mutable_grpc_services() = there.service().grpc_services();
  return MessageDifferencer::Equals(there.service(), asked) &&
         there.description() == request.description() &&
         model::KindOf(there.kind()) == model::KindOf(request.kind()) &&
         there.verification() == request.verification();
}

absl::Status CheckVerification(v1::Service::Verification verification, bool database) {
  if (!v1::Service::Verification_IsValid(verification)) {
    return model::Refusal(absl::StatusCode::kInvalidArgument, "ARGUMENT_INVALID",
                          "verification is not one that this registry knows");
  }
  if (!database || verification == v1::Service::VERIFICATION_UNSPECIFIED) return absl::OkStatus();
  return model::Refusal(absl::StatusCode::kInvalidArgument, "ARGUMENT_INVALID",
                        "a database has no instances that could be verified");
}

}  // namespace

absl::StatusOr<v1::Service> CreateService(Draft& draft, const v1::CreateServiceRequest& request) {
  RETURN_IF_ERROR(model::ValidateService(request.service()));
  if (request.service().grpc_services_size() > 0) {
    return model::Refusal(absl::StatusCode::kInvalidArgument, "ARGUMENT_INVALID",
                          "grpc_services cannot be set: they are claimed by publishing a version");
  }
  if (!v1::Service::Kind_IsValid(request.kind())) {
    return model::Refusal(absl::StatusCode::kInvalidArgument, "ARGUMENT_INVALID",
                          "kind is not one that this registry knows");
  }
  RETURN_IF_ERROR(
      CheckVerification(request.verification(), request.kind() == v1::Service::DATABASE));
  RETURN_IF_ERROR(
      model::ValidateText("description", request.description(), model::kMaxDescriptionBytes));
  RETURN_IF_ERROR(model::ValidateText("owner", request.owner(), model::kMaxActorBytes));
  const std::string& name = request.service().name();
  ASSIGN_OR_RETURN(const auto there, draft.Get<v1::Service>(model::ServiceKey(name)));
  if (there.has_value()) {
    if (IsSame(there->value, request)) return there->value;
    const bool same_kind = model::KindOf(there->value.kind()) == model::KindOf(request.kind());
    const char* difference =
        same_kind ? ", with other settings; update it instead"
        : model::IsDatabase(there->value)
            ? ", as a database, which it always will be; choose another name"
            : ", as an API, which it always will be; choose another name for the database";
    return model::Refusal(absl::StatusCode::kAlreadyExists, "SERVICE_EXISTS",
                          absl::StrCat("service '", name, "' exists, owned by ",
                                       there->value.meta().owner(), difference),
                          {{"service", name}, {"owner", there->value.meta().owner()}});
  }
  v1::Service service;
  *service.mutable_service() = request.service();
  service.set_description(request.description());
  service.set_kind(model::KindOf(request.kind()));
  service.set_verification(request.verification());
  *service.mutable_meta() = draft.NewMeta(request.owner());
  draft.Put(model::ServiceKey(name), service);
  draft.Audit("service.create", name, nullptr, &service.service());
  return service;
}

absl::StatusOr<v1::Service> UpdateService(Draft& draft, const v1::UpdateServiceRequest& request) {
  ASSIGN_OR_RETURN(const Stored<v1::Service> there, RequireService(draft, request.name()));
  RETURN_IF_ERROR(CheckExpected(request.has_expected_revision(), request.expected_revision(),
                                there.revision, absl::StrCat("service ", request.name())));
  RETURN_IF_ERROR(
      model::ValidateText("description", request.description(), model::kMaxDescriptionBytes));
  RETURN_IF_ERROR(model::ValidateText("owner", request.owner(), model::kMaxActorBytes));
  v1::Service service = there.value;
  if (request.has_unpinned()) *service.mutable_service()->mutable_unpinned() = request.unpinned();
  if (request.has_version_from_package()) {
    service.mutable_service()->set_version_from_package(request.version_from_package());
  }
  if (request.load_balancing() != routing::v1::LOAD_BALANCING_UNSPECIFIED) {
    service.mutable_service()->set_load_balancing(request.load_balancing());
  }
  if (request.has_retry_policy()) {
    service.mutable_service()->clear_retry_policy();
    if (request.retry_policy().max_attempts() != 0) {
      *service.mutable_service()->mutable_retry_policy() = request.retry_policy();
    }
  }
  // Gateways take the whole or nothing, so it is the whole that has to be right.
  RETURN_IF_ERROR(model::ValidateService(service.service()));
  RETURN_IF_ERROR(CheckVerification(request.verification(), model::IsDatabase(there.value)));
  if (request.verification() != v1::Service::VERIFICATION_UNSPECIFIED) {
    service.set_verification(request.verification());
  }
  if (request.has_description()) service.set_description(request.description());
  if (request.has_owner() && !request.owner().empty()) {
    service.mutable_meta()->set_owner(request.owner());
  }
  if (MessageDifferencer::Equals(service, there.value)) return service;
  draft.Touch(*service.mutable_meta());
  draft.Put(model::ServiceKey(request.name()), service);
  draft.Audit("service.update", request.name(), &there.value, &service);
  return service;
}

absl::StatusOr<v1::Service> GetService(Draft& draft, const v1::GetServiceRequest& request) {
  ASSIGN_OR_RETURN(Stored<v1::Service> service, RequireService(draft, request.name()));
  return std::move(service.value);
}

absl::StatusOr<v1::ListServicesResponse> ListServices(Draft& draft,
                                                      const v1::ListServicesRequest& request) {
  ASSIGN_OR_RETURN(
      Page<v1::Service> page,
      draft.List<v1::Service>(model::kServices, {request.page_size(), request.page_token()}));
  v1::ListServicesResponse response;
  for (auto& service : page.records) *response.add_services() = std::move(service.value);
  response.set_next_page_token(page.next_token);
  return response;
}

}  // namespace pinion::service
