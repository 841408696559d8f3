#include "registry/service/instance_findings.h"

#include "absl/strings/str_cat.h"
#include "base/check.h"
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
  absl::Span<const News> news;
  // Versions become active by it. Each is a change of its own, since it may be refused, and moves
  // what others read.
  bool may_activate = false;
  // Why the version cannot become active, so that its instance gets no calls; empty: it can, as far
  // as known.
  std::string refusal;
};

// How the instances stand after a change, in the order of its news.
struct Outcomes {
  std::vector<absl::StatusOr<v1::Instance>> instances;
  std::vector<size_t> left;  // not changed: their versions would become active
};

// Found by Attempt().
void StampRevision(Outcomes& outcomes, store::Revision revision) {
  for (absl::StatusOr<v1::Instance>& instance : outcomes.instances) {
    if (instance.ok()) service::StampRevision(*instance, revision);
  }
}

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

// Nobody has registered it anew, or judged it, since it was checked.
bool StandsAsChecked(const v1::Instance& there, const v1::Instance& checked) {
  return MessageDifferencer::Equals(there.instance(), checked.instance()) &&
         MessageDifferencer::Equals(there.check(), checked.check());
}

void Write(Draft& draft, const Stored<v1::Instance>& there, v1::Instance& instance,
           const Activation& activation) {
  const routing::v1::Instance& routing = instance.instance();
  draft.Put(model::InstanceKey(routing.service(), routing.version(), routing.uid()), instance,
            there.lease);
  instance.mutable_meta()->set_revision(0);  // that of the commit
  v1::AuditRecord& audit =
      draft.Audit("instance.check",
                  absl::StrCat(routing.service(), " ", routing.version(), " ",
                               model::AddressText(routing.address())),
                  there.value.has_check() ? &there.value.check() : nullptr,
                  instance.has_check() ? &instance.check() : nullptr, instance.check().message());
  audit.mutable_moved()->Assign(activation.moved.begin(), activation.moved.end());
}

// Nullopt: its version would become active, and may not by this change.
absl::StatusOr<std::optional<v1::Instance>> PutOne(Draft& draft, const News& news,
                                                   const Change& change) {
  const routing::v1::Instance& routing = news.instance.instance();
  ASSIGN_OR_RETURN(const auto there, draft.Get<v1::Instance>(model::InstanceKey(
                                         routing.service(), routing.version(), routing.uid())));
  if (!there.has_value()) return UnknownInstance(routing.uid());
  if (!StandsAsChecked(there->value, news.instance)) return there->value;
  ASSIGN_OR_RETURN(const auto service, RequireService(draft, routing.service()));
  v1::Instance instance =
      After(there->value, model::VerificationOf(service.value), news.finding, draft.now());
  Activation activation;
  if (there->value.check().held_back() && !instance.check().held_back()) {
    ASSIGN_OR_RETURN(const auto version,
                     RequireVersion(draft, routing.service(), routing.version()));
    const bool first = version.value.version().version().state() == routing::v1::PUBLISHED;
    if (first && !change.may_activate) return std::nullopt;
    if (first && !change.refusal.empty()) {
      instance.mutable_check()->set_held_back(true);
      instance.mutable_check()->set_message(change.refusal);
    } else if (first) {
      ASSIGN_OR_RETURN(activation, ActivateByInstance(draft, version.value));
    }
  }
  if (!MessageDifferencer::Equals(instance, there->value)) {
    Write(draft, *there, instance, activation);
  }
  return instance;
}

absl::StatusOr<Outcomes> Put(Draft& draft, const Change& change) {
  Outcomes outcomes;
  for (const News& news : change.news) {
    absl::StatusOr<std::optional<v1::Instance>> instance = PutOne(draft, news, change);
    if (!instance.ok() && !absl::IsNotFound(instance.status())) return instance.status();
    if (!instance.ok()) {
      outcomes.instances.emplace_back(instance.status());
      continue;
    }
    if (!instance->has_value()) outcomes.left.push_back(outcomes.instances.size());
    outcomes.instances.emplace_back(instance->has_value() ? **std::move(instance) : news.instance);
  }
  return outcomes;
}

Caller ByRegistry() { return {.actor = "registry"}; }

absl::StatusOr<v1::Instance> PutAlone(Registry& registry, const News& news) {
  Change change{.news = absl::MakeConstSpan(&news, 1), .may_activate = true};
  absl::StatusOr<Outcomes> done = Run(registry, Put, ByRegistry(), change);
  if (absl::IsFailedPrecondition(done.status())) {
    change.refusal = absl::StrCat("is ready, and gets no calls: ", done.status().message());
    done = Run(registry, Put, ByRegistry(), change);
  }
  RETURN_IF_ERROR(done.status());
  return done->instances.at(0);
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

Effect EffectOf(const v1::Instance& instance, model::Verification policy, const Finding& finding) {
  const v1::Instance after = After(instance, policy, finding, instance.check().since());
  if (after.check().held_back() != instance.check().held_back()) return Effect::kForCalls;
  return MessageDifferencer::Equals(after, instance) ? Effect::kNone : Effect::kForPeople;
}

std::vector<absl::StatusOr<v1::Instance>> PutFindings(Registry& registry,
                                                      absl::Span<const News> news) {
  CHECK(news.size() <= kMaxNewsAtOnce);
  std::vector<absl::StatusOr<v1::Instance>> instances;
  if (news.size() > 1) {
    absl::StatusOr<Outcomes> together = Run(registry, Put, ByRegistry(), Change{.news = news});
    if (together.ok()) {
      instances = std::move(together->instances);
      for (const size_t one : together->left) instances[one] = PutAlone(registry, news[one]);
      return instances;
    }
    if (absl::IsUnavailable(together.status()) || absl::IsResourceExhausted(together.status())) {
      instances.assign(news.size(),
                       together.status());  // the store's, and not one of them to blame
      return instances;
    }
  }
  // A lease that ends meanwhile, or a damaged record, is no matter of the others.
  for (const News& one : news) instances.push_back(PutAlone(registry, one));
  return instances;
}

}  // namespace pinion::service
