#include "registry/service/instance_findings.h"

#include "absl/strings/str_cat.h"
#include "google/protobuf/util/message_differencer.h"
#include "registry/model/address.h"
#include "registry/model/keys.h"
#include "registry/service/activation.h"
#include "registry/service/lookups.h"

namespace pinion::service {
namespace {

namespace v1 = registry::v1;
using google::protobuf::util::MessageDifferencer;

struct Change {
  std::string uid;
  const Finding* finding = nullptr;
  // Why its version cannot become active, so that it gets no calls; empty: it can, as far as known.
  std::string refusal;
};

// `instance` after `finding`, as if its version could become active.
v1::Instance After(const v1::Instance& instance, model::Verification policy, const Finding& finding,
                   const google::protobuf::Timestamp& now) {
  v1::Instance after = instance;
  if (policy == v1::Service::OFF) {
    after.clear_check();
    return after;
  }
  *after.mutable_check() = NextCheck(instance.check(), policy, finding, now);
  if (after.check().ByteSizeLong() == 0) after.clear_check();
  return after;
}

absl::StatusOr<v1::Instance> Put(Draft& draft, const Change& change) {
  ASSIGN_OR_RETURN(const auto there, RequireInstance(draft, change.uid));
  const routing::v1::Instance& routing = there.value.instance();
  ASSIGN_OR_RETURN(const auto service, RequireService(draft, routing.service()));
  const model::Verification policy = model::VerificationOf(service.value);
  v1::Instance instance = After(there.value, policy, *change.finding, draft.now());
  Activation activation;
  if (there.value.check().held_back() && !instance.check().held_back()) {
    ASSIGN_OR_RETURN(const auto version,
                     RequireVersion(draft, routing.service(), routing.version()));
    const bool first = version.value.version().version().state() == routing::v1::PUBLISHED;
    if (first && !change.refusal.empty()) {
      instance.mutable_check()->set_held_back(true);
      instance.mutable_check()->set_message(change.refusal);
    } else if (first) {
      ASSIGN_OR_RETURN(activation, ActivateByInstance(draft, version.value));
    }
  }
  if (MessageDifferencer::Equals(instance, there.value)) return instance;
  draft.Put(model::InstanceKey(routing.service(), routing.version(), change.uid), instance,
            there.lease);
  instance.mutable_meta()->set_revision(0);  // that of the commit
  v1::AuditRecord& audit =
      draft.Audit("instance.check",
                  absl::StrCat(routing.service(), " ", routing.version(), " ",
                               model::AddressText(routing.address())),
                  there.value.has_check() ? &there.value.check() : nullptr,
                  instance.has_check() ? &instance.check() : nullptr, instance.check().message());
  audit.mutable_moved()->Assign(activation.moved.begin(), activation.moved.end());
  return instance;
}

}  // namespace

v1::InstanceCheck NextCheck(const v1::InstanceCheck& before, model::Verification policy,
                            const Finding& finding, const google::protobuf::Timestamp& now) {
  v1::InstanceCheck after = before;
  after.set_verdict(finding.verdict);
  after.set_held_back(model::HeldBack(policy, finding.verdict, before.held_back()));
  const bool same_verdict = after.verdict() == before.verdict();
  if (!same_verdict) *after.mutable_since() = now;
  if (!same_verdict || after.held_back() != before.held_back() ||
      finding.verdict == v1::InstanceCheck::DRIFTED) {
    after.set_message(finding.message);
  }
  return after;
}

bool IsNews(const v1::Instance& instance, model::Verification policy, const Finding& finding) {
  return !MessageDifferencer::Equals(After(instance, policy, finding, instance.check().since()),
                                     instance);
}

absl::StatusOr<v1::Instance> PutFinding(Registry& registry, const std::string& uid,
                                        const Finding& finding) {
  const Caller caller{.actor = "registry"};
  Change change{.uid = uid, .finding = &finding};
  absl::StatusOr<v1::Instance> instance = Run(registry, Put, caller, change);
  if (!absl::IsFailedPrecondition(instance.status())) return instance;
  change.refusal = absl::StrCat("is ready, and gets no calls: ", instance.status().message());
  return Run(registry, Put, caller, change);
}

}  // namespace pinion::service
