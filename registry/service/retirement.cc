// Retirement: what keeps a version from it, and what it frees.
#include "registry/model/retirement.h"

#include <algorithm>
#include <set>

#include "absl/strings/str_cat.h"
#include "base/counted.h"
#include "registry/model/errors.h"
#include "registry/model/keys.h"
#include "registry/model/lifecycle.h"
#include "registry/model/validate.h"
#include "registry/service/blobs.h"
#include "registry/service/first_error.h"
#include "registry/service/lookups.h"
#include "registry/service/operations.h"
#include "registry/service/requirements.h"
#include "registry/service/version_state.h"

namespace pinion::service {
namespace {

// More blockers of one version than these nobody reads at once; the others show up when these are
// gone.
constexpr size_t kMaxBlockers = 1000;
// Ranges of keys that one transaction watches over, beside the keys that it has read.
constexpr size_t kMaxGuards = 64;
// Records deleted in one transaction.
constexpr size_t kFreedAtOnce = 100;

// Gathers what keeps one version from being retired, and where more of it could come from until the
// retirement is committed.
class Survey {
 public:
  // `changed`: the revision of the version's last change.
  Survey(Draft& draft, const routing::v1::Version& version, store::Revision changed)
      : draft_(draft),
        version_(version),
        changed_(changed),
        window_(draft.registry().options().rollback_window) {}

  absl::Status Run() {
    for (v1::RetirementBlocker& blocker : model::StateBlockers(version_, draft_.now())) {
      Add(std::move(blocker));
    }
    RETURN_IF_ERROR(AddPins(version_.name()));
    RETURN_IF_ERROR(AddRanges());
    RETURN_IF_ERROR(AddChannels());
    RETURN_IF_ERROR(AddInstances());
    RETURN_IF_ERROR(AddPinWindows());
    RETURN_IF_ERROR(AddRequirements());
    RETURN_IF_ERROR(AddGateways());
    return AddUsage();
  }

  std::vector<v1::RetirementBlocker>& blockers() { return blockers_; }

  // The commit holds only if nothing of the kind has come since.
  void Guard() const {
    if (guards_.size() <= kMaxGuards) {
      for (const std::string& prefix : guards_) draft_.RequireNothingNew(prefix);
      return;
    }
    // Of each expression its pins: rather all pins of the service than none of some.
    for (const std::string& prefix :
         {model::PinUsesOf(version_.service(), ""), model::ChannelsOf(version_.service()),
          model::InstancesOf(version_.service(), version_.name()),
          model::RollbackWindowsOf(version_.service(), version_.name()),
          model::RequirementsOn(version_.service())}) {
      draft_.RequireNothingNew(prefix);
    }
  }

 private:
  void Add(v1::RetirementBlocker blocker) {
    if (blockers_.size() < kMaxBlockers) blockers_.push_back(std::move(blocker));
  }

  bool WindowIsOpen(const google::protobuf::Timestamp& since) const {
    return model::InRollbackWindow(since, window_, draft_.now());
  }

  absl::Status AddPins(const std::string& expression) {
    const std::string prefix = model::PinUsesOf(version_.service(), expression);
    guards_.push_back(prefix);
    ASSIGN_OR_RETURN(
        const store::RangeResult uses,
        draft_.Range(
            {.range = store::KeyRange::Prefix(prefix), .limit = kMaxBlockers, .keys_only = true}));
    for (const store::KeyValue& kv : uses.kvs) {
      const std::optional<model::PinUse> use = model::ParsePinUse(kv.key);
      if (!use.has_value()) return model::Damaged(kv.key);
      Add(model::PinBlocker(version_, *use, expression));
    }
    return absl::OkStatus();
  }

  // Ranges that mean the version, or that nothing else matches; and those that meant it until
  // lately.
  absl::Status AddRanges() {
    ASSIGN_OR_RETURN(const auto service, RequireService(draft_, version_.service()));
    const std::string key = model::ResolutionsKey(version_.service());
    ASSIGN_OR_RETURN(const auto resolutions, draft_.Get<v1::Resolutions>(key));
    if (!resolutions.has_value()) return absl::OkStatus();
    ASSIGN_OR_RETURN(const model::VersionList versions,
                     LoadVersions(draft_, service.value.service()));
    for (const auto& entry : resolutions->value.entries()) {
      const auto expression =
          version::Expression::Parse(service.value.service().scheme(), entry.expression());
      if (!expression.ok()) return model::Damaged(key);
      if (expression->kind() == version::Expression::Kind::kExact) continue;
      if (entry.version() == version_.name() || versions.Needs(*expression, version_.name())) {
        RETURN_IF_ERROR(AddPins(entry.expression()));
      } else if (entry.previous_version() == version_.name()) {
        RETURN_IF_ERROR(AddRangeWindow(entry));
      }
    }
    return absl::OkStatus();
  }

  absl::Status AddRangeWindow(const v1::Resolutions::Entry& entry) {
    if (!WindowIsOpen(entry.move_time())) return absl::OkStatus();
    ASSIGN_OR_RETURN(const int64_t pins,
                     draft_.Count(model::PinUsesOf(version_.service(), entry.expression())));
    if (pins == 0) return absl::OkStatus();
    Add(model::WindowBlocker(
        absl::StrCat("range ", entry.expression(), " with ", Counted(pins, "pin")),
        entry.move_time(), window_));
    return absl::OkStatus();
  }

  absl::Status AddChannels() {
    const std::string prefix = model::ChannelsOf(version_.service());
    guards_.push_back(prefix);
    ASSIGN_OR_RETURN(const auto channels, draft_.All<v1::Channel>(prefix));
    for (const auto& each : channels) {
      const routing::v1::Channel& channel = each.value.channel();
      if (channel.version() == version_.name()) {
        Add(model::ChannelBlocker(version_, channel.name()));
      } else if (channel.ramp().version() == version_.name()) {
        Add(model::RampBlocker(version_, channel.name()));
      }
      for (const v1::Channel::Left& left : each.value.left()) {
        if (left.version() != version_.name() || !WindowIsOpen(left.time())) continue;
        Add(model::WindowBlocker(absl::StrCat("channel ", channel.service(), " @", channel.name()),
                                 left.time(), window_));
      }
    }
    return absl::OkStatus();
  }

  absl::Status AddInstances() {
    const std::string prefix = model::InstancesOf(version_.service(), version_.name());
    guards_.push_back(prefix);
    ASSIGN_OR_RETURN(const auto instances, draft_.All<v1::Instance>(prefix));
    for (const auto& instance : instances) Add(model::InstanceBlocker(version_, instance.value));
    return absl::OkStatus();
  }

  absl::Status AddPinWindows() {
    const std::string prefix = model::RollbackWindowsOf(version_.service(), version_.name());
    guards_.push_back(prefix);
    PageRequest page{.size = kMaxPage};
    do {
      ASSIGN_OR_RETURN(auto windows, draft_.List<v1::RollbackWindow>(prefix, page));
      for (const auto& window : windows.records) {
        if (!WindowIsOpen(window.value.since())) continue;
        Add(model::WindowBlocker(absl::StrCat("pin ", window.value.pin()), window.value.since(),
                                 window_));
      }
      page.token = windows.next_token;
    } while (!page.token.empty() && blockers_.size() < kMaxBlockers);
    return absl::OkStatus();
  }

  absl::Status AddRequirements() {
    guards_.push_back(model::RequirementsOn(version_.service()));
    ASSIGN_OR_RETURN(auto needed, NeededBy(draft_, version_.service(), {version_.name()}));
    for (v1::RetirementBlocker& blocker : needed) Add(std::move(blocker));
    return absl::OkStatus();
  }

  // Calls that run. Of an active version nobody asks yet, and one that never was has none.
  absl::Status AddGateways() {
    if (version_.state() == routing::v1::ACTIVE || version_.state() == routing::v1::PUBLISHED) {
      return absl::OkStatus();
    }
    ASSIGN_OR_RETURN(const std::vector<v1::GatewayRecord> gateways, LiveGateways(draft_));
    for (const v1::GatewayRecord& gateway : gateways) {
      auto blocker = model::GatewayBlocker(gateway, version_, changed_);
      if (blocker.has_value()) Add(*std::move(blocker));
    }
    return absl::OkStatus();
  }

  absl::Status AddUsage() {
    const absl::Duration window = draft_.registry().options().usage_window;
    if (window == absl::ZeroDuration()) return absl::OkStatus();
    ASSIGN_OR_RETURN(const std::vector<model::CallerUse> callers,
                     CallersWithin(draft_, {version_.service(), version_.name()}, window));
    for (const model::CallerUse& caller : callers) {
      Add(model::UsageBlocker(caller, window, draft_.now()));
    }
    return absl::OkStatus();
  }

  Draft& draft_;
  const routing::v1::Version& version_;
  const store::Revision changed_;
  const absl::Duration window_;
  std::vector<v1::RetirementBlocker> blockers_;
  std::vector<std::string> guards_;
};

// What shows all that keeps it.
std::string DryRunOf(const routing::v1::Version& version) {
  return absl::StrCat("pinion version retire ", model::VersionText(version), " --dry-run");
}

absl::StatusOr<v1::VersionStateResponse> Retire(Draft& draft,
                                                const v1::RetireVersionRequest& request) {
  ASSIGN_OR_RETURN(const auto there, RequireVersionAsExpected(draft, request));
  const routing::v1::Version& before = there.value.version().version();
  VersionChange change{.command = "version.retire", .reason = request.reason()};
  change.after = before;
  change.after.set_state(routing::v1::RETIRED);
  if (before.state() != routing::v1::RETIRED) {
    Survey survey(draft, before, there.revision);
    RETURN_IF_ERROR(survey.Run());
    if (!survey.blockers().empty() && !request.force()) {
      return model::RefuseInUse(before, survey.blockers(), "retired", DryRunOf(before));
    }
    // Who forces takes what comes in between, too.
    if (!request.force()) survey.Guard();
    change.overridden = model::Summary(survey.blockers());
    DeleteRequirementUses(draft, there.value.version());
    draft.PutBytes(model::FreeingKey(before.service(), before.name()), "");
  }
  v1::VersionRecord record = there.value;
  if (before.state() != routing::v1::RETIRED) {
    *record.mutable_version()->mutable_retire_time() = draft.now();
  }
  return ChangeVersion(draft, std::move(record), change);
}

absl::Status CheckSucceedsNobody(const routing::v1::Version& version,
                                 const std::vector<Stored<v1::VersionRecord>>& all) {
  for (const auto& other : all) {
    const routing::v1::Version& before = other.value.version().version();
    if (before.deprecation().successor() != version.name()) continue;
    return model::Refusal(
        absl::StatusCode::kFailedPrecondition, "VERSION_IN_USE",
        absl::StrCat(model::VersionText(version), " is the successor of ", before.name(),
                     "; name another first: `pinion version deprecate ", model::VersionText(before),
                     " --successor VERSION`"),
        {{"service", version.service()}, {"version", version.name()}, {"of", before.name()}});
  }
  return absl::OkStatus();
}

// Gives up the claims of `version` that none of `others` needs: their names.
absl::StatusOr<std::vector<std::string>> ReleaseClaims(
    Draft& draft, const routing::v1::Version& version,
    const std::vector<Stored<v1::VersionRecord>>& others) {
  std::set<std::string> kept;
  for (const auto& other : others) {
    if (other.value.version().version().name() == version.name()) continue;
    for (const auto& methods : other.value.version().version().methods()) {
      kept.insert(methods.grpc_service());
    }
  }
  std::vector<std::string> released;
  for (const auto& methods : version.methods()) {
    if (!kept.contains(methods.grpc_service())) released.push_back(methods.grpc_service());
  }
  if (released.empty()) return released;
  ASSIGN_OR_RETURN(auto service, RequireService(draft, version.service()));
  auto& claimed = *service.value.mutable_service()->mutable_grpc_services();
  for (const std::string& name : released) {
    draft.Delete(model::GrpcServiceKey(name));
    claimed.erase(std::remove(claimed.begin(), claimed.end(), name), claimed.end());
  }
  draft.Touch(*service.value.mutable_meta());
  draft.Put(model::ServiceKey(version.service()), service.value);
  return released;
}

// Its name means nothing any more, and no pin says it.
absl::Status ForgetExpression(Draft& draft, const routing::v1::Version& version) {
  const std::string key = model::ResolutionsKey(version.service());
  ASSIGN_OR_RETURN(const auto stored, draft.Get<v1::Resolutions>(key));
  if (!stored.has_value()) return absl::OkStatus();
  v1::Resolutions resolutions = stored->value;
  auto& entries = *resolutions.mutable_entries();
  entries.erase(std::remove_if(entries.begin(), entries.end(),
                               [&version](const v1::Resolutions::Entry& entry) {
                                 return entry.expression() == version.name();
                               }),
                entries.end());
  resolutions.set_state_changes(resolutions.state_changes() + 1);
  draft.Put(key, resolutions);
  return absl::OkStatus();
}

// Deletes all under `prefix`, which nobody adds to any more.
absl::Status DeleteAll(store::Store& store, const std::string& prefix) {
  while (true) {
    ASSIGN_OR_RETURN(
        const store::RangeResult range,
        store.Range(
            {.range = store::KeyRange::Prefix(prefix), .limit = kFreedAtOnce, .keys_only = true}));
    if (range.kvs.empty()) return absl::OkStatus();
    store::Txn txn;
    for (const store::KeyValue& kv : range.kvs) txn.then.push_back(store::Delete{kv.key});
    RETURN_IF_ERROR(store.Commit(std::move(txn)).status());
  }
}

absl::Status Free(Registry& registry, const Caller& caller, const model::VersionRef& ref) {
  RETURN_IF_ERROR(DeregisterAll(registry, caller, ref.service, ref.version, "it is retired"));
  RETURN_IF_ERROR(DeleteAll(registry.store(), model::RollbackWindowsOf(ref.service, ref.version)));
  store::Txn done;
  done.then.push_back(store::Delete{model::FreeingKey(ref.service, ref.version)});
  return registry.store().Commit(std::move(done)).status();
}

}  // namespace

absl::StatusOr<v1::VersionStateResponse> RetireVersion(Registry& registry, const Caller& caller,
                                                       const v1::RetireVersionRequest& request) {
  RETURN_IF_ERROR(model::ValidateText("reason", request.reason(), model::kMaxReasonBytes));
  if (request.force() && request.reason().empty()) {
    return model::Refusal(absl::StatusCode::kInvalidArgument, "ARGUMENT_INVALID",
                          "to retire a version by force takes a reason, for those who ask "
                          "afterwards what became of their calls");
  }
  ASSIGN_OR_RETURN(v1::VersionStateResponse response, Run(registry, Retire, caller, request));
  RETURN_IF_ERROR(Free(registry, caller, {request.service(), request.name()}));
  return response;
}

absl::StatusOr<v1::DeleteVersionResponse> DeleteVersion(Draft& draft,
                                                        const v1::DeleteVersionRequest& request) {
  RETURN_IF_ERROR(model::ValidateText("reason", request.reason(), model::kMaxReasonBytes));
  ASSIGN_OR_RETURN(const auto there, RequireVersionAsExpected(draft, request));
  const routing::v1::Version& version = there.value.version().version();
  const std::string name = model::VersionText(version);
  if (version.state() != routing::v1::PUBLISHED) {
    return model::Refusal(absl::StatusCode::kFailedPrecondition, "VERSION_WAS_ACTIVE",
                          absl::StrCat(name,
                                       " was active, so its record stays; to end it: `pinion "
                                       "version retire ",
                                       name, "`"),
                          {{"service", version.service()}, {"version", version.name()}});
  }
  Survey survey(draft, version, there.revision);
  RETURN_IF_ERROR(survey.Run());
  if (!survey.blockers().empty()) {
    return model::RefuseInUse(version, survey.blockers(), "deleted", DryRunOf(version));
  }
  survey.Guard();
  const std::string versions = model::VersionsOf(version.service());
  draft.RequireNothingNew(versions);
  ASSIGN_OR_RETURN(const auto all, draft.All<v1::VersionRecord>(versions));
  RETURN_IF_ERROR(CheckSucceedsNobody(version, all));
  ASSIGN_OR_RETURN(const std::vector<std::string> released, ReleaseClaims(draft, version, all));
  RETURN_IF_ERROR(ForgetExpression(draft, version));
  draft.Delete(model::VersionKey(version.service(), version.name()));
  LeaveBlob(draft, there.value);
  routing::v1::Version audited = version;
  audited.clear_methods();
  draft.Audit("version.delete", name, &audited, nullptr, request.reason());
  v1::DeleteVersionResponse response;
  response.mutable_released_grpc_services()->Assign(released.begin(), released.end());
  return response;
}

absl::StatusOr<v1::ListRetirementBlockersResponse> ListRetirementBlockers(
    Draft& draft, const v1::ListRetirementBlockersRequest& request) {
  ASSIGN_OR_RETURN(const auto there, RequireVersion(draft, request.service(), request.name()));
  const routing::v1::Version& version = there.value.version().version();
  v1::ListRetirementBlockersResponse response;
  response.set_state(version.state());
  if (version.state() == routing::v1::RETIRED) return response;
  Survey survey(draft, version, there.revision);
  RETURN_IF_ERROR(survey.Run());
  for (v1::RetirementBlocker& blocker : survey.blockers()) {
    *response.add_blockers() = std::move(blocker);
  }
  return response;
}

absl::Status FreeRetired(Registry& registry) {
  ASSIGN_OR_RETURN(const store::RangeResult range,
                   registry.store().Range(
                       {.range = store::KeyRange::Prefix(model::kFreeing), .keys_only = true}));
  const Caller caller{.actor = "registry"};
  FirstError error;
  for (const store::KeyValue& kv : range.kvs) {
    const std::optional<model::VersionRef> ref = model::ParseFreeing(kv.key);
    const absl::Status freed =
        ref.has_value() ? Free(registry, caller, *ref) : model::Damaged(kv.key);
    if (!error.GoOnAfter(freed)) break;
  }
  return error.status();
}

}  // namespace pinion::service
