// Operations on instances: registration with activation, leases and their end.
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/proto_duration.h"
#include "google/protobuf/util/message_differencer.h"
#include "registry/model/address.h"
#include "registry/model/errors.h"
#include "registry/model/instance_checks.h"
#include "registry/model/keys.h"
#include "registry/model/validate.h"
#include "registry/service/activation.h"
#include "registry/service/first_error.h"
#include "registry/service/lookups.h"
#include "registry/service/operations.h"

namespace pinion::service {
namespace {

// A request with its lease granted.
struct Registration {
  const v1::RegisterInstanceRequest* request = nullptr;
  store::LeaseId lease = 0;
};

// A deregistration, by whomever and for whatever reason.
struct Deregistration {
  std::string uid;
  std::string reason;
};

void DeleteInstance(Draft& draft, const routing::v1::Instance& instance) {
  draft.Delete(model::InstanceKey(instance.service(), instance.version(), instance.uid()));
  draft.Delete(model::InstanceUidKey(instance.uid()));
}

// What stands at this service, version and address already.
absl::StatusOr<std::optional<Stored<v1::Instance>>> InstanceAt(Draft& draft,
                                                               const std::string& endpoint_key) {
  ASSIGN_OR_RETURN(const auto ref, draft.Get<v1::InstanceRef>(endpoint_key));
  if (!ref.has_value()) return std::nullopt;
  return draft.Get<v1::Instance>(
      model::InstanceKey(ref->value.service(), ref->value.version(), ref->value.uid()));
}

absl::Status CheckNotRetired(const routing::v1::Version& version) {
  if (version.state() != routing::v1::RETIRED) return absl::OkStatus();
  return model::Refusal(absl::StatusCode::kFailedPrecondition, "VERSION_RETIRED",
                        absl::StrCat("version ", version.name(), " of ", version.service(),
                                     " is retired: it gets no instances any more"),
                        {{"service", version.service()}, {"version", version.name()}});
}

// Of a new server, where calls wait for proof.
v1::InstanceCheck NotChecked(const Draft& draft) {
  v1::InstanceCheck check;
  check.set_held_back(true);
  *check.mutable_since() = draft.now();
  check.set_message("waits for its first check");
  return check;
}

absl::StatusOr<v1::RegisterInstanceResponse> Register(Draft& draft,
                                                      const Registration& registration) {
  const v1::RegisterInstanceRequest& request = *registration.request;
  routing::v1::Instance asked = request.instance();
  ASSIGN_OR_RETURN(const auto service, RequireApi(draft, asked.service(), "instances"));
  ASSIGN_OR_RETURN(const auto version, RequireVersion(draft, asked.service(), asked.version()));
  RETURN_IF_ERROR(CheckNotRetired(version.value.version().version()));
  const std::string endpoint_key =
      model::EndpointKey(asked.service(), asked.version(), asked.address());
  ASSIGN_OR_RETURN(const auto there, InstanceAt(draft, endpoint_key));
  const bool same_server = there.has_value() && there->lease == 0 && registration.lease == 0;
  asked.set_uid(same_server ? there->value.instance().uid() : NewId());

  v1::RegisterInstanceResponse response;
  v1::Instance& instance = *response.mutable_instance();
  if (same_server) {
    if (google::protobuf::util::MessageDifferencer::Equals(there->value.instance(), asked)) {
      instance = there->value;
      return response;
    }
    instance = there->value;
    draft.Touch(*instance.mutable_meta());
  } else {
    if (there.has_value()) DeleteInstance(draft, there->value.instance());
    *instance.mutable_meta() = draft.NewMeta(request.owner());
  }
  *instance.mutable_instance() = asked;
  if (registration.lease != 0) *instance.mutable_lease_ttl() = request.lease_ttl();
  const bool verified = model::VerificationOf(service.value) == v1::Service::ENFORCE;
  if (verified && !same_server) *instance.mutable_check() = NotChecked(draft);
  draft.Put(model::InstanceKey(asked.service(), asked.version(), asked.uid()), instance,
            registration.lease);
  v1::InstanceRef ref;
  ref.set_service(asked.service());
  ref.set_version(asked.version());
  ref.set_uid(asked.uid());
  draft.Put(model::InstanceUidKey(asked.uid()), ref, registration.lease);
  draft.Put(endpoint_key, ref, registration.lease);
  if (!instance.check().held_back() &&
      version.value.version().version().state() == routing::v1::PUBLISHED) {
    ASSIGN_OR_RETURN(const Activation activation, ActivateByInstance(draft, version.value));
    response.set_activated(true);
    response.mutable_moved()->Assign(activation.moved.begin(), activation.moved.end());
    response.mutable_channels()->Assign(activation.channels.begin(), activation.channels.end());
  }
  v1::AuditRecord& audit = draft.Audit(
      "instance.register",
      absl::StrCat(asked.service(), " ", asked.version(), " ", model::AddressText(asked.address())),
      there.has_value() ? &there->value.instance() : nullptr, &asked);
  *audit.mutable_moved() = response.moved();
  return response;
}

absl::StatusOr<v1::DeregisterInstanceResponse> Deregister(Draft& draft,
                                                          const Deregistration& what) {
  ASSIGN_OR_RETURN(const auto there, RequireInstance(draft, what.uid));
  const routing::v1::Instance& instance = there.value.instance();
  DeleteInstance(draft, instance);
  draft.Delete(model::EndpointKey(instance.service(), instance.version(), instance.address()));
  draft.Audit("instance.deregister",
              absl::StrCat(instance.service(), " ", instance.version(), " ",
                           model::AddressText(instance.address())),
              &instance, nullptr, what.reason);
  return v1::DeregisterInstanceResponse();
}

// The uid that an expired lease's keys are about; empty: none of them is an instance.
std::string UidOf(const std::vector<std::string>& keys) {
  const std::string prefix = model::InstanceUidKey("");
  for (const std::string& key : keys) {
    if (absl::StartsWith(key, prefix)) return key.substr(prefix.size());
  }
  return "";
}

// Ends a lease with its instance. True: it had one.
absl::StatusOr<bool> Expire(Registry& registry, const store::ExpiredLease& lease) {
  const std::string uid = UidOf(lease.keys);
  bool had_instance = false;
  if (!uid.empty()) {
    const absl::Status status = Run(registry, Deregister, Caller{.actor = "registry"},
                                    Deregistration{uid, "its lease has run out"})
                                    .status();
    if (!status.ok() && !absl::IsNotFound(status)) return status;
    had_instance = status.ok();
  }
  // Of several registries on one store, each finds it and one is first.
  const absl::Status revoked = registry.store().RevokeLease(lease.id);
  if (!revoked.ok() && !absl::IsNotFound(revoked)) return revoked;
  return had_instance;
}

}  // namespace

absl::StatusOr<v1::RegisterInstanceResponse> RegisterInstance(
    Registry& registry, const Caller& caller, const v1::RegisterInstanceRequest& request) {
  RETURN_IF_ERROR(model::ValidateInstance(request.instance()));
  RETURN_IF_ERROR(model::ValidateText("owner", request.owner(), model::kMaxActorBytes));
  Registration registration{.request = &request};
  if (request.has_lease_ttl()) {
    const absl::Duration ttl = FromProto(request.lease_ttl());
    const absl::Status valid = store::ValidateLeaseTtl(ttl);
    if (!valid.ok()) return model::WithReason(valid, "ARGUMENT_INVALID");
    ASSIGN_OR_RETURN(registration.lease, registry.store().GrantLease(ttl));
  }
  absl::StatusOr<v1::RegisterInstanceResponse> response =
      Run(registry, Register, caller, registration);
  // A lease that nothing hangs on would run out by itself; this is tidier. One that the instance
  // may hang on, since an answer was lost, does run out: that is on record.
  if (registration.lease != 0 && !response.ok() &&
      model::ReasonOf(response.status()) != "OUTCOME_UNKNOWN") {
    (void)registry.store().RevokeLease(registration.lease);
  }
  return response;
}

absl::StatusOr<v1::RenewInstanceResponse> RenewInstance(Draft& draft,
                                                        const v1::RenewInstanceRequest& request) {
  ASSIGN_OR_RETURN(const auto ref,
                   draft.Get<v1::InstanceRef>(model::InstanceUidKey(request.uid())));
  if (!ref.has_value()) return UnknownInstance(request.uid());
  if (ref->lease == 0) {
    return model::Refusal(
        absl::StatusCode::kInvalidArgument, "ARGUMENT_INVALID",
        absl::StrCat("instance ", request.uid(), " is permanent and has no lease to renew"),
        {{"instance", request.uid()}});
  }
  const absl::StatusOr<absl::Duration> ttl = draft.registry().store().RenewLease(ref->lease);
  if (absl::IsNotFound(ttl.status())) return UnknownInstance(request.uid());
  RETURN_IF_ERROR(ttl.status());
  v1::RenewInstanceResponse response;
  *response.mutable_lease_ttl() = ToProto(*ttl);
  return response;
}

absl::StatusOr<v1::DeregisterInstanceResponse> DeregisterInstance(
    Registry& registry, const Caller& caller, const v1::DeregisterInstanceRequest& request) {
  return Run(registry, Deregister, caller, Deregistration{.uid = request.uid()});
}

absl::StatusOr<v1::ListInstancesResponse> ListInstances(Draft& draft,
                                                        const v1::ListInstancesRequest& request) {
  if (!request.service().empty())
    RETURN_IF_ERROR(RequireService(draft, request.service()).status());
  const std::string prefix = model::InstancesOf(request.service(), request.version());
  ASSIGN_OR_RETURN(Page<v1::Instance> page,
                   draft.List<v1::Instance>(prefix, {request.page_size(), request.page_token()}));
  v1::ListInstancesResponse response;
  for (auto& instance : page.records) *response.add_instances() = std::move(instance.value);
  response.set_next_page_token(page.next_token);
  return response;
}

absl::Status DeregisterAll(Registry& registry, const Caller& caller, const std::string& service,
                           const std::string& version, const std::string& reason) {
  const std::string prefix = model::InstancesOf(service, version);
  ASSIGN_OR_RETURN(
      const store::RangeResult range,
      registry.store().Range({.range = store::KeyRange::Prefix(prefix), .keys_only = true}));
  FirstError error;
  for (const store::KeyValue& kv : range.kvs) {
    const Deregistration what{.uid = kv.key.substr(prefix.size()), .reason = reason};
    const absl::Status status = Run(registry, Deregister, caller, what).status();
    if (!absl::IsNotFound(status) && !error.GoOnAfter(status)) break;
  }
  return error.status();
}

absl::StatusOr<int> ExpireLeases(Registry& registry) {
  ASSIGN_OR_RETURN(const std::vector<store::ExpiredLease> expired,
                   registry.store().ExpiredLeases());
  FirstError error;
  int ended = 0;
  for (const store::ExpiredLease& lease : expired) {
    const absl::StatusOr<bool> with_instance = Expire(registry, lease);
    if (!error.GoOnAfter(with_instance.status())) break;
    ended += with_instance.value_or(false) ? 1 : 0;
  }
  RETURN_IF_ERROR(error.status());
  return ended;
}

}  // namespace pinion::service
