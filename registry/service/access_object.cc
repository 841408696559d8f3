#include "registry/service/access_object.h"

#include <optional>

#include "absl/strings/numbers.h"
#include "base/check.h"
#include "base/status_macros.h"
#include "registry/access/subject.h"
#include "registry/model/keys.h"
#include "registry/service/operations.h"

namespace pinion::service {
namespace {

using access::Object;

Object NotThere(Object::Kind kind, const std::string& name, const std::string& owner) {
  return {.kind = kind, .name = name, .exists = false, .owner = owner};
}

absl::StatusOr<Object> ServiceObject(Draft& draft, const std::string& name,
                                     const std::string& owner) {
  ASSIGN_OR_RETURN(const auto there, draft.Get<v1::Service>(model::ServiceKey(name)));
  if (!there.has_value()) return NotThere(Object::Kind::kService, name, owner);
  return Object{Object::Kind::kService, name, true, there->value.meta().owner()};
}

absl::StatusOr<Object> ConsumerObject(Draft& draft, const std::string& name,
                                      const std::string& owner) {
  ASSIGN_OR_RETURN(const auto there, draft.Get<v1::Consumer>(model::ConsumerKey(name)));
  if (!there.has_value()) return NotThere(Object::Kind::kConsumer, name, owner);
  return Object{Object::Kind::kConsumer, name, true, there->value.meta().owner()};
}

absl::StatusOr<Object> InstanceObject(Draft& draft, const std::string& uid) {
  ASSIGN_OR_RETURN(const auto there, draft.Get<v1::InstanceRef>(model::InstanceUidKey(uid)));
  if (!there.has_value()) return NotThere(Object::Kind::kService, uid, "");
  return ServiceObject(draft, there->value.service(), "");
}

absl::StatusOr<Object> JobObject(Draft& draft, int64_t id) {
  std::optional<Stored<v1::JobRecord>> there;
  if (id > 0) {
    ASSIGN_OR_RETURN(there, draft.Get<v1::JobRecord>(model::JobKey(id)));
  }
  if (!there.has_value()) return NotThere(Object::Kind::kConsumer, "", "");
  if (!there->value.has_pin()) return Object{.kind = Object::Kind::kAllPins, .exists = true};
  return ConsumerObject(draft, there->value.pin().consumer(), "");
}

absl::StatusOr<Object> ChangeObject(Draft& draft, const v1::StartJobRequest& request) {
  if (request.has_set_pin()) return ConsumerObject(draft, request.set_pin().pin().consumer(), "");
  if (request.has_undo_job()) return JobObject(draft, request.undo_job().id());
  return Object{.kind = Object::Kind::kAllPins, .exists = true};
}

}  // namespace

absl::StatusOr<Object> ObjectOf(Draft& draft, const access::Rule& rule,
                                const google::protobuf::Message& request,
                                const std::string& owner) {
  if (rule.about == access::About::kNothing) return Object{};
  if (rule.about == access::About::kChange) {
    const auto* change = google::protobuf::DynamicCastToGenerated<v1::StartJobRequest>(&request);
    CHECK(change != nullptr);
    return ChangeObject(draft, *change);
  }
  // A test holds every rule against the methods' requests.
  const std::optional<std::string> name = access::ObjectName(rule, request);
  CHECK(name.has_value());
  switch (rule.about) {
    case access::About::kService:
      return ServiceObject(draft, *name, owner);
    case access::About::kConsumer:
      return ConsumerObject(draft, *name, owner);
    case access::About::kInstance:
      return InstanceObject(draft, *name);
    default: {
      int64_t id = 0;
      return JobObject(draft, absl::SimpleAtoi(*name, &id) ? id : 0);
    }
  }
}

absl::Status AddConsumers(Draft& draft, access::Rights& rights) {
  for (const std::string& subject : rights.subjects) {
    const std::optional<routing::v1::Identity> identity = access::IdentityOf(subject);
    if (!identity.has_value()) continue;
    ASSIGN_OR_RETURN(const auto claim, draft.Get<v1::Claim>(model::IdentityKey(*identity)));
    if (claim.has_value()) access::BecomeConsumer(rights, claim->value.owner());
  }
  return absl::OkStatus();
}

}  // namespace pinion::service
