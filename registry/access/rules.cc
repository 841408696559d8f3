#include "registry/access/rules.h"

#include <algorithm>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace pinion::access {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

#define REGISTRY "pinion.registry.v1.Registry."
#define WATCH "pinion.registry.v1.RoutingWatch."
#define ACCESS "pinion.registry.v1.Access."

constexpr Rule kRules[] = {
    {REGISTRY "CreateService", Need::kCreate, About::kService, "service.name"},
    {REGISTRY "UpdateService", Need::kOwn, About::kService, "name"},
    {REGISTRY "GetService", Need::kRead},
    {REGISTRY "ListServices", Need::kRead},

    {REGISTRY "PublishVersion", Need::kCreate, About::kService, "service"},
    {REGISTRY "GetVersion", Need::kRead},
    {REGISTRY "GetVersionSchema", Need::kRead},
    {REGISTRY "ListVersions", Need::kRead},
    {REGISTRY "DeprecateVersion", Need::kOwn, About::kService, "service"},
    {REGISTRY "ReactivateVersion", Need::kOwn, About::kService, "service"},
    {REGISTRY "RetireVersion", Need::kOwn, About::kService, "service"},
    {REGISTRY "DeleteVersion", Need::kOwn, About::kService, "service"},
    {REGISTRY "ListRetirementBlockers", Need::kRead},
    {REGISTRY "ActivateVersion", Need::kOwn, About::kService, "service"},
    {REGISTRY "CheckDeployment", Need::kRead},

    {REGISTRY "RegisterInstance", Need::kOwn, About::kService, "instance.service"},
    {REGISTRY "RenewInstance", Need::kOwn, About::kInstance, "uid"},
    {REGISTRY "DeregisterInstance", Need::kOwn, About::kInstance, "uid"},
    {REGISTRY "CheckInstance", Need::kOwn, About::kInstance, "uid"},
    {REGISTRY "ListInstances", Need::kRead},

    {REGISTRY "CreateConsumer", Need::kCreate, About::kConsumer, "consumer.name"},
    // Its identities are who counts as this consumer: not for the consumer itself to say.
    {REGISTRY "UpdateConsumer", Need::kOwn, About::kConsumer, "consumer.name"},
    {REGISTRY "GetConsumer", Need::kRead},
    {REGISTRY "ListConsumers", Need::kRead},

    {REGISTRY "SetPin", Need::kPins, About::kConsumer, "pin.consumer"},
    {REGISTRY "UnsetPin", Need::kPins, About::kConsumer, "consumer"},
    {REGISTRY "RollbackPin", Need::kPins, About::kConsumer, "consumer"},
    {REGISTRY "GetPin", Need::kRead},
    {REGISTRY "ListPins", Need::kRead},
    {REGISTRY "ListPinHistory", Need::kRead},

    // Many consumers' pins at once are an operator's; a later change of one pin is its consumer's.
    {REGISTRY "StartJob", Need::kPins, About::kChange},
    {REGISTRY "GetJob", Need::kRead},
    {REGISTRY "ListJobs", Need::kRead},
    {REGISTRY "CancelJob", Need::kPins, About::kJob, "id"},
    // Changes nothing, and says nothing that cannot be read.
    {REGISTRY "Plan", Need::kRead},

    {REGISTRY "SetChannel", Need::kOwn, About::kService, "channel.service"},
    {REGISTRY "RampChannel", Need::kOwn, About::kService, "service"},
    {REGISTRY "GetChannel", Need::kRead},
    {REGISTRY "ListChannels", Need::kRead},

    {REGISTRY "SetEntitlement", Need::kOwn, About::kService, "entitlement.service"},
    {REGISTRY "UnsetEntitlement", Need::kOwn, About::kService, "service"},
    {REGISTRY "GetEntitlement", Need::kRead},
    {REGISTRY "ListEntitlements", Need::kRead},

    {REGISTRY "ListAuditRecords", Need::kReview},
    {REGISTRY "GetAuditHead", Need::kReview},
    {REGISTRY "ReadAuditLog", Need::kReview},
    {REGISTRY "TrimAuditLog", Need::kOperate},
    // Everything there is, digests of tokens among it.
    {REGISTRY "ReadBackup", Need::kOperate},
    {REGISTRY "MigrateStore", Need::kOperate},
    {REGISTRY "GetStatus", Need::kRead},
    {REGISTRY "GetRouting", Need::kRead},
    {REGISTRY "ListUsage", Need::kRead},
    {REGISTRY "ListGateways", Need::kRead},
    {REGISTRY "ForgetGateway", Need::kOperate},

    {WATCH "Watch", Need::kFollow},
    {WATCH "ProposePins", Need::kFollow},
    {WATCH "ReportGateway", Need::kFollow},

    {ACCESS "WhoAmI", Need::kNothing},
    {ACCESS "AddGrant", Need::kOperate},
    {ACCESS "RemoveGrant", Need::kOperate},
    {ACCESS "ListGrants", Need::kReview},
    {ACCESS "CreateToken", Need::kOperate},
    {ACCESS "RevokeToken", Need::kOperate},
    {ACCESS "ListTokens", Need::kReview},
};

#undef REGISTRY
#undef WATCH
#undef ACCESS

}  // namespace

absl::Span<const Rule> AllRules() { return kRules; }

const Rule* FindRule(absl::string_view method) {
  const auto* found = std::find_if(std::begin(kRules), std::end(kRules),
                                   [&](const Rule& rule) { return method == rule.method; });
  return found == std::end(kRules) ? nullptr : found;
}

std::optional<std::string> ObjectName(const Rule& rule, const Message& request) {
  const Message* at = &request;
  const std::vector<std::string> path = absl::StrSplit(rule.field, '.');
  for (size_t i = 0; i < path.size(); ++i) {
    const FieldDescriptor* field = at->GetDescriptor()->FindFieldByName(path[i]);
    if (field == nullptr || field->is_repeated()) return std::nullopt;
    const bool last = i + 1 == path.size();
    if (!last && field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      at = &at->GetReflection()->GetMessage(*at, field);
    } else if (last && field->cpp_type() == FieldDescriptor::CPPTYPE_STRING) {
      return at->GetReflection()->GetString(*at, field);
    } else if (last && field->cpp_type() == FieldDescriptor::CPPTYPE_INT64) {
      return absl::StrCat(at->GetReflection()->GetInt64(*at, field));
    } else {
      return std::nullopt;
    }
  }
  return std::nullopt;
}

std::string TextField(const Message& request, const std::string& field) {
  const FieldDescriptor* found = request.GetDescriptor()->FindFieldByName(field);
  if (found == nullptr || found->is_repeated() ||
      found->cpp_type() != FieldDescriptor::CPPTYPE_STRING) {
    return "";
  }
  return request.GetReflection()->GetString(request, found);
}

}  // namespace pinion::access
