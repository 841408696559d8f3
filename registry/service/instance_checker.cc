#include "registry/service/instance_checker.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/log.h"
#include "base/status_macros.h"
#include "registry/model/keys.h"
#include "registry/service/lookups.h"
#include "registry/service/shown_schema.h"

namespace pinion::service {
namespace {

namespace v1 = registry::v1;
using probe::Question;

// What keeps checks from being made keeps most of them from it: it is said once in this time.
constexpr absl::Duration kComplainEvery = absl::Seconds(10);

std::vector<std::string> GrpcServicesOf(const routing::v1::Version& version) {
  std::vector<std::string> services;
  for (const auto& methods : version.methods()) services.push_back(methods.grpc_service());
  return services;
}

}  // namespace

InstanceChecker::InstanceChecker(Registry& registry, probe::Ask ask,
                                 const std::optional<CheckerOptions>& options)
    : registry_(registry),
      ask_(std::move(ask)),
      options_(options),
      roster_(options.value_or(CheckerOptions()).times,
              static_cast<uint64_t>(absl::ToUnixNanos(registry.clock().Wall()))),
      recorder_(registry,
                {.delay = options.value_or(CheckerOptions()).recording_delay,
                 .period = options.value_or(CheckerOptions()).period},
                [checker = this](const v1::Instance& instance) { checker->TakenOver(instance); }) {
  if (!options_.has_value()) return;
  claim_.emplace(registry_, model::kInstanceChecksClaim);
  threads_.emplace_back([checker = this] { checker->RunFollower(); });
  for (int i = 0; i < options_->checks_at_once; ++i) {
    threads_.emplace_back([checker = this] { checker->RunChecks(); });
  }
}

InstanceChecker::~InstanceChecker() {
  Stop();
  for (std::thread& thread : threads_) thread.join();
}

void InstanceChecker::Stop() {
  recorder_.Stop();
  MutexLock lock(&mutex_);
  stopping_ = true;
  if (instances_ != nullptr) instances_->Cancel();
  due_.SignalAll();
}

// ---- following the store ----

void InstanceChecker::RunFollower() {
  bool failing = false;
  while (true) {
    const absl::Status status = Follow();
    MutexLock lock(&mutex_);
    if (stopping_) return;
    // Said once, not every second.
    if (!status.ok() && !failing) {
      log::Warning("registry", absl::StrCat("instances cannot be checked, which is tried again: ",
                                            status.message()));
    }
    failing = !status.ok();
    if (!failing) continue;
    ours_ = false;
    instances_.reset();
    due_.WaitFor(&mutex_, options_->period);
  }
}

absl::Status InstanceChecker::Follow() {
  store::Watcher* watcher = nullptr;
  {
    MutexLock lock(&mutex_);
    if (stopping_) return absl::OkStatus();
    watcher = instances_.get();
  }
  if (watcher == nullptr) return Load();
  const absl::StatusOr<store::WatchBatch> instances = watcher->Next(options_->period);
  // Overtaken by compaction: from the beginning.
  if (absl::IsOutOfRange(instances.status())) return Load();
  if (absl::IsCancelled(instances.status())) return absl::OkStatus();
  RETURN_IF_ERROR(instances.status());
  TakeOver(*instances);
  while (true) {
    const absl::StatusOr<store::WatchBatch> services = services_->Next(absl::ZeroDuration());
    if (absl::IsOutOfRange(services.status())) return Load();
    RETURN_IF_ERROR(services.status());
    if (services->events.empty()) break;
    TakeOverServices(*services);
  }

  {
    MutexLock lock(&mutex_);
    // Where there is nothing to do nobody needs to be known for it.
    if (roster_.empty() && !ours_) return absl::OkStatus();
  }
  ASSIGN_OR_RETURN(const bool held, claim_->Hold());
  MutexLock lock(&mutex_);
  ours_ = held;
  due_.SignalAll();
  return absl::OkStatus();
}

absl::Status InstanceChecker::Load() {
  const Caller nobody;
  Draft draft(registry_, nobody);
  ASSIGN_OR_RETURN(const auto instances, draft.All<v1::Instance>(model::kInstances));
  services_ = registry_.store().Watch(store::KeyRange::Prefix(model::kServices), draft.revision());
  auto watcher =
      registry_.store().Watch(store::KeyRange::Prefix(model::kInstances), draft.revision());
  const absl::Time now = registry_.clock().Monotonic();
  MutexLock lock(&mutex_);
  roster_.Clear();
  for (const auto& instance : instances) roster_.Put(instance.value, now);
  instances_ = std::move(watcher);
  return absl::OkStatus();
}

void InstanceChecker::TakeOver(const store::WatchBatch& instances) {
  const absl::Time now = registry_.clock().Monotonic();
  MutexLock lock(&mutex_);
  for (const store::Event& event : instances.events) {
    if (event.deleted) {
      roster_.Remove(event.kv.key.substr(event.kv.key.rfind('!') + 1));
      continue;
    }
    // A damaged record is the watch hub's to complain about.
    const absl::StatusOr<Stored<v1::Instance>> instance = Decode<v1::Instance>(event.kv);
    if (instance.ok()) roster_.Put(instance->value, now);
  }
}

void InstanceChecker::TakeOverServices(const store::WatchBatch& services) {
  const absl::Time now = registry_.clock().Monotonic();
  MutexLock lock(&mutex_);
  for (const store::Event& event : services.events) {
    if (event.deleted || !event.previous.has_value()) continue;
    const auto before = Decode<v1::Service>(*event.previous);
    const auto after = Decode<v1::Service>(event.kv);
    if (before.ok() && after.ok() && before->value.verification() != after->value.verification()) {
      roster_.Hasten(after->value.service().name(), now);
    }
  }
}

// ---- checking ----

void InstanceChecker::RunChecks() {
  while (true) {
    std::optional<CheckRoster::Task> task;
    {
      MutexLock lock(&mutex_);
      const absl::Time now = registry_.clock().Monotonic();
      if (!stopping_ && ours_) task = roster_.TakeDue(now);
      if (!task.has_value() && !stopping_) {
        due_.WaitFor(&mutex_, ours_ ? std::min(roster_.NextDue() - now, options_->period)
                                    : options_->period);
      }
      if (stopping_) return;
    }
    if (task.has_value()) CheckInTurn(*task);
  }
}

void InstanceChecker::CheckInTurn(const CheckRoster::Task& task) {
  const absl::StatusOr<std::optional<Judged>> judged = Check(task);
  const std::string& uid = task.instance.instance().uid();
  if (!judged.ok()) {
    if (absl::IsCancelled(judged.status())) return;
    Complain(task, judged.status());
    MutexLock lock(&mutex_);
    roster_.Postpone(uid, registry_.clock().Monotonic());
    return;
  }
  if (!judged->has_value() || (*judged)->effect == Effect::kNone) {
    recorder_.Withdraw(uid);
  } else {
    recorder_.Add({task.instance, (*judged)->outcome.verdict}, (*judged)->effect);
  }
}

void InstanceChecker::Complain(const CheckRoster::Task& task, const absl::Status& status) {
  const absl::Time now = registry_.clock().Monotonic();
  MutexLock lock(&mutex_);
  ++failures_;
  if (now - complained_ < kComplainEvery) return;
  complained_ = now;
  const int64_t others = std::exchange(failures_, 0) - 1;
  log::Warning(
      "registry",
      absl::StrCat("instance ", task.instance.instance().uid(),
                   " could not be checked: ", status.message(),
                   others > 0 ? absl::StrCat("; nor could ", others, " times others before") : ""));
}

void InstanceChecker::TakenOver(const v1::Instance& instance) {
  MutexLock lock(&mutex_);
  if (roster_.Knows(instance.instance().uid())) {
    roster_.Put(instance, registry_.clock().Monotonic());
  }
}

absl::StatusOr<CheckRoster::Result> InstanceChecker::AskAndJudge(const CheckRoster::Task& task,
                                                                 model::Verification policy) {
  if (policy == v1::Service::OFF && !task.out_of_turn) return CheckRoster::Result();
  const routing::v1::Instance& instance = task.instance.instance();
  const Caller nobody;
  Draft draft(registry_, nobody);
  ASSIGN_OR_RETURN(const auto version,
                   RequireVersion(draft, instance.service(), instance.version()));
  Question question{.instance = instance, .schema = task.schema};
  question.grpc_services = GrpcServicesOf(version.value.version().version());
  const probe::Answer answer = ask_(question);

  CheckRoster::Result result;
  if (!answer.reached.ok()) {
    result.against = Finding{.verdict = v1::InstanceCheck::UNREACHABLE,
                             .message = std::string(answer.reached.message())};
    return result;
  }
  if (!answer.not_serving.empty()) {
    result.against =
        Finding{.verdict = v1::InstanceCheck::NOT_SERVING, .message = answer.not_serving};
  }
  if (question.grpc_services.empty()) {
    result.schema = Finding{.verdict = v1::InstanceCheck::READY};  // there is nothing to compare
  } else if (answer.shown.has_value()) {
    ASSIGN_OR_RETURN(result.schema, JudgeShown(registry_, version.value, *answer.shown));
  }
  return result;
}

absl::StatusOr<std::optional<InstanceChecker::Judged>> InstanceChecker::Check(
    const CheckRoster::Task& task) {
  const routing::v1::Instance& instance = task.instance.instance();
  const Caller nobody;
  Draft draft(registry_, nobody);
  if (absl::IsNotFound(RequireInstance(draft, instance.uid()).status())) {
    MutexLock lock(&mutex_);
    roster_.Remove(instance.uid());
    return std::nullopt;
  }
  ASSIGN_OR_RETURN(const auto service, RequireService(draft, instance.service()));
  const model::Verification policy = model::VerificationOf(service.value);
  ASSIGN_OR_RETURN(const CheckRoster::Result result, AskAndJudge(task, policy));

  std::optional<CheckRoster::Outcome> outcome;
  {
    MutexLock lock(&mutex_);
    // Cut short: what came means nothing.
    if (stopping_) return absl::CancelledError("the registry is shutting down");
    ++checks_;
    outcome = roster_.Finish(instance.uid(), result, registry_.clock().Monotonic());
  }
  if (!outcome.has_value()) return std::nullopt;
  const Effect effect = EffectOf(task.instance, policy, outcome->verdict);
  return Judged{.outcome = *std::move(outcome), .effect = effect};
}

InstanceCounts InstanceChecker::counts() {
  InstanceCounts counts{.waiting = recorder_.waiting()};
  MutexLock lock(&mutex_);
  counts.by_state = roster_.Count();
  counts.checking = ours_;
  counts.checks = checks_;
  return counts;
}

absl::StatusOr<v1::CheckInstanceResponse> InstanceChecker::CheckNow(
    const v1::CheckInstanceRequest& request) {
  const Caller nobody;
  Draft draft(registry_, nobody);
  ASSIGN_OR_RETURN(const auto there, RequireInstance(draft, request.uid()));
  const std::string& uid = there.value.instance().uid();
  std::optional<CheckRoster::Task> task;
  {
    MutexLock lock(&mutex_);
    roster_.Put(there.value, registry_.clock().Monotonic());
    task = roster_.Take(uid);
  }
  ASSIGN_OR_RETURN(const std::optional<Judged> judged, Check(*task));
  if (!judged.has_value()) return UnknownInstance(uid);
  v1::CheckInstanceResponse response;
  *response.mutable_instance() = task->instance;
  if (judged->effect != Effect::kNone) {
    absl::StatusOr<v1::Instance> stands =
        recorder_.Record({task->instance, judged->outcome.verdict});
    if (absl::IsNotFound(stands.status())) return UnknownInstance(uid);
    ASSIGN_OR_RETURN(*response.mutable_instance(), std::move(stands));
  }
  const Finding& found = judged->outcome.found;
  response.set_found(found.verdict);
  response.set_message(found.message);
  for (const std::string& difference : found.differences) response.add_differences(difference);
  return response;
}

}  // namespace pinion::service
