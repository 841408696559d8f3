// Operations on versions.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/check.h"
#include "base/sha256.h"
#include "registry/compat/publication.h"
#include "registry/model/errors.h"
#include "registry/model/keys.h"
#include "registry/model/lifecycle.h"
#include "registry/model/requirements.h"
#include "registry/model/validate.h"
#include "registry/service/blobs.h"
#include "registry/service/lookups.h"
#include "registry/service/operations.h"
#include "registry/service/requirements.h"
#include "registry/service/schema_gate.h"

namespace pinion::service {
namespace {

// A request with its descriptor set read.
struct Publication {
  const v1::PublishVersionRequest* request = nullptr;
  std::optional<schema::Schema> schema;  // nullopt: published without one
  std::string blob_sha256;
};

// "db/people <3, ledger ^2; ends <2": what a version says of others.
std::string NeedsText(const v1::Version& version) {
  std::vector<std::string> requirements;
  for (const v1::Requirement& one : version.requirements()) {
    requirements.push_back(model::RequirementText(one));
  }
  std::sort(requirements.begin(), requirements.end());
  return absl::StrCat(
      requirements.empty() ? "requires nothing" : "requires " + absl::StrJoin(requirements, ", "),
      version.ends().empty() ? "" : "; ends " + version.ends());
}

// OK: what it says of others was published before.
absl::Status CheckSameNeeds(const v1::Version& there, const v1::Version& asked) {
  const std::string old = NeedsText(there);
  const std::string now = NeedsText(asked);
  if (old == now) return absl::OkStatus();
  return model::Refusal(
      absl::StatusCode::kAlreadyExists, "VERSION_EXISTS",
      absl::StrCat(model::VersionText(asked.version()), " was published by ",
                   there.meta().created_by(), " and ", old, ", this one ", now,
                   "; versions never change: publish it under a new name"),
      {{"service", asked.version().service()}, {"version", asked.version().name()}});
}

// The service as it is, or a new one for this version.
absl::StatusOr<v1::Service> ServiceFor(Draft& draft, const v1::PublishVersionRequest& request,
                                       bool& created) {
  ASSIGN_OR_RETURN(auto there, draft.Get<v1::Service>(model::ServiceKey(request.service())));
  created = !there.has_value();
  if (there.has_value()) return std::move(there->value);
  v1::Service service;
  service.mutable_service()->set_name(request.service());
  ASSIGN_OR_RETURN(const routing::v1::Scheme scheme, compat::SchemeOfNewService(request));
  service.mutable_service()->set_scheme(scheme);
  RETURN_IF_ERROR(model::ValidateService(service.service()));
  service.set_kind(v1::Service::API);
  *service.mutable_meta() = draft.NewMeta(request.owner());
  return service;
}

// Claims what this version is the first of its service to serve. True: the service has changed.
absl::StatusOr<bool> ClaimGrpcServices(Draft& draft, const routing::v1::Version& version,
                                       routing::v1::Service& service) {
  bool changed = false;
  for (const std::string& name : compat::GrpcServicesOf(version)) {
    const std::string key = model::GrpcServiceKey(name);
    ASSIGN_OR_RETURN(const auto claim, draft.Get<v1::Claim>(key));
    if (claim.has_value() && claim->value.owner() == service.name()) continue;
    if (claim.has_value()) {
      return model::Refusal(
          absl::StatusCode::kAlreadyExists, "GRPC_SERVICE_TAKEN",
          absl::StrCat("gRPC service ", name, " belongs to service '", claim->value.owner(),
                       "'; publish this version there, or name the gRPC services that it "
                       "serves"),
          {{"grpc_service", name}, {"owner", claim->value.owner()}});
    }
    v1::Claim mine;
    mine.set_owner(service.name());
    draft.Put(key, mine);
    service.add_grpc_services(name);
    changed = true;
  }
  if (changed) {
    std::sort(service.mutable_grpc_services()->begin(), service.mutable_grpc_services()->end());
  }
  return changed;
}

// The version that the request asks for, of a service that is there or about to be.
absl::StatusOr<v1::Version> AskedVersion(Draft& draft, const Publication& publication,
                                         const v1::Service& service) {
  const v1::PublishVersionRequest& request = *publication.request;
  const auto parsed = version::VersionName::Parse(service.service().scheme(), request.name());
  if (!parsed.ok()) {
    return model::WithReason(parsed.status(), "NAME_MALFORMED", {{"version", request.name()}});
  }
  RETURN_IF_ERROR(model::CheckKind(service, request));
  v1::Version asked;
  *asked.mutable_version() = compat::AskedVersion(
      request, publication.schema.has_value() ? &*publication.schema : nullptr);
  *asked.mutable_meta() = draft.NewMeta(request.owner());
  asked.set_notes(request.notes());
  *asked.mutable_metadata() = request.metadata();
  ASSIGN_OR_RETURN(const auto requirements, CanonicalRequirements(draft, request));
  asked.mutable_requirements()->Assign(requirements.begin(), requirements.end());
  if (!request.ends().empty()) {
    ASSIGN_OR_RETURN(const version::Expression ends,
                     model::ParseEnds(service.service(), *parsed, request.ends()));
    asked.set_ends(ends.canonical());
  }
  return asked;
}

absl::StatusOr<v1::PublishVersionResponse> Publish(Draft& draft, const Publication& publication) {
  const v1::PublishVersionRequest& request = *publication.request;
  v1::PublishVersionResponse response;
  bool service_created = false;
  ASSIGN_OR_RETURN(v1::Service service, ServiceFor(draft, request, service_created));
  response.set_service_kind(model::KindOf(service.kind()));
  ASSIGN_OR_RETURN(const v1::Version asked, AskedVersion(draft, publication, service));
  const routing::v1::Version& version = asked.version();
  const std::string key = model::VersionKey(request.service(), request.name());
  ASSIGN_OR_RETURN(const auto there, draft.Get<v1::VersionRecord>(key));
  if (there.has_value()) {
    RETURN_IF_ERROR(compat::CheckIsSame(there->value.version(), version));
    RETURN_IF_ERROR(CheckSameNeeds(there->value.version(), asked));
    *response.mutable_version() = there->value.version();
    return response;
  }
  RETURN_IF_ERROR(CheckAcyclic(draft, service.service().scheme(), asked));
  std::string waived;
  if (publication.schema.has_value()) {
    ASSIGN_OR_RETURN(waived, CheckSchema(draft, service.service(), request, *publication.schema));
    // One that comes in the same moment is compared with too.
    draft.RequireNothingNew(model::VersionsOf(request.service()));
  }
  ASSIGN_OR_RETURN(const bool claimed,
                   ClaimGrpcServices(draft, version, *service.mutable_service()));
  if (claimed && !service_created) draft.Touch(*service.mutable_meta());
  if (claimed || service_created) draft.Put(model::ServiceKey(request.service()), service);

  // Only what nothing speaks against any more takes room in the store.
  if (publication.schema.has_value()) {
    RETURN_IF_ERROR(WriteBlob(draft, publication.blob_sha256, request.descriptor_set()));
  }
  v1::VersionRecord record;
  *record.mutable_version() = asked;
  record.set_blob_sha256(publication.blob_sha256);
  record.set_blob_bytes(static_cast<int64_t>(request.descriptor_set().size()));
  draft.Put(key, record);
  routing::v1::Version audited = version;
  audited.clear_methods();
  draft.Audit("version.publish", absl::StrCat(request.service(), " ", request.name()), nullptr,
              &audited, waived);
  *response.mutable_version() = record.version();
  response.set_created(true);
  response.set_service_created(service_created);
  return response;
}

// All versions of one service, newest first: an order that keys do not have, of records few enough
// to sort.
absl::Status AppendVersions(Draft& draft, const routing::v1::Service& service,
                            v1::ListVersionsResponse& response) {
  ASSIGN_OR_RETURN(auto records, draft.All<v1::VersionRecord>(model::VersionsOf(service.name())));
  std::vector<std::pair<version::VersionName, v1::Version*>> sorted;
  for (auto& record : records) {
    v1::Version* version = record.value.mutable_version();
    auto name = version::VersionName::Parse(service.scheme(), version->version().name());
    if (!name.ok()) {
      return model::Damaged(model::VersionKey(service.name(), version->version().name()));
    }
    sorted.emplace_back(*std::move(name), version);
  }
  std::sort(sorted.begin(), sorted.end(),
            [](const auto& a, const auto& b) { return b.first < a.first; });
  for (auto& [name, version] : sorted) *response.add_versions() = std::move(*version);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<v1::PublishVersionResponse> PublishVersion(
    Registry& registry, const Caller& caller, const v1::PublishVersionRequest& request) {
  RETURN_IF_ERROR(model::ValidatePublish(request));
  Publication publication{.request = &request};
  if (!request.descriptor_set().empty()) {
    ASSIGN_OR_RETURN(publication.schema, schema::Schema::Parse(request.descriptor_set(),
                                                               {request.grpc_services().begin(),
                                                                request.grpc_services().end()}));
    if (publication.schema->services().size() > model::kMaxGrpcServices) {
      return model::Refusal(
          absl::StatusCode::kResourceExhausted, "LIMIT_EXCEEDED",
          absl::StrCat("the descriptor set has ", publication.schema->services().size(),
                       " gRPC services; a version may serve ", model::kMaxGrpcServices,
                       ": name those that it serves, or split it"));
    }
    publication.blob_sha256 = Sha256Hex(request.descriptor_set());
  }
  return Run(registry, Publish, caller, publication);
}

absl::StatusOr<v1::Version> GetVersion(Draft& draft, const v1::GetVersionRequest& request) {
  ASSIGN_OR_RETURN(auto record, RequireVersion(draft, request.service(), request.name()));
  return std::move(*record.value.mutable_version());
}

absl::StatusOr<v1::GetVersionSchemaResponse> GetVersionSchema(
    Draft& draft, const v1::GetVersionSchemaRequest& request) {
  ASSIGN_OR_RETURN(const auto record, RequireVersion(draft, request.service(), request.name()));
  v1::GetVersionSchemaResponse response;
  response.set_schema_digest(record.value.version().version().schema_digest());
  ASSIGN_OR_RETURN(std::string bytes, ReadBlob(draft, record.value));
  response.set_descriptor_set(std::move(bytes));
  return response;
}

absl::StatusOr<v1::ListVersionsResponse> ListVersions(Draft& draft,
                                                      const v1::ListVersionsRequest& request) {
  v1::ListVersionsResponse response;
  if (!request.service().empty()) {
    ASSIGN_OR_RETURN(const auto service, RequireService(draft, request.service()));
    RETURN_IF_ERROR(AppendVersions(draft, service.value.service(), response));
    return response;
  }
  ASSIGN_OR_RETURN(
      const Page<v1::Service> page,
      draft.List<v1::Service>(model::kServices, {request.page_size(), request.page_token()}));
  const int enough = request.page_size() > 0 ? request.page_size() : kDefaultPage;
  for (const Stored<v1::Service>& service : page.records) {
    if (response.versions_size() >= enough) return response;
    RETURN_IF_ERROR(AppendVersions(draft, service.value.service(), response));
    response.set_next_page_token(service.value.service().name());
  }
  response.set_next_page_token(page.next_token);
  return response;
}

}  // namespace pinion::service
