// Carries out jobs. A step is one transaction that changes a few pins and notes how far the job has
// come, so that whatever ends the process, and however many registries work on one store, each pin
// is changed once and counted once.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "registry/model/errors.h"
#include "registry/model/jobs.h"
#include "registry/model/keys.h"
#include "registry/model/pins.h"
#include "registry/service/first_error.h"
#include "registry/service/lookups.h"
#include "registry/service/operations.h"
#include "registry/service/pin_changes.h"

namespace pinion::service {
namespace {

// Jobs that one round goes on with, and their steps together: some tenths of a second, in which
// leases and sunsets wait. Each job has its share, one at least, so that none waits for another's
// end.
constexpr size_t kJobsAtOnce = 64;
constexpr size_t kStepsAtOnce = 32;
// Pins that a step comes to: each takes seven operations, of the 128 that a transaction may have.
constexpr int kPinsAtOnce = 12;
// Pins that a step of an undoing job looks at to find one that is its to change; all pins that
// another job comes to are.
constexpr int32_t kLookedAtOnce = 200;

struct StepRequest {
  int64_t job = 0;
  const JobRights& rights;
  int pins_max = kPinsAtOnce;
};

struct StepResult {
  bool ended = true;
};

// A pin that the job comes to, and the key after which it goes on.
struct Next {
  routing::v1::Pin pin;
  std::string after;
  bool made = false;  // by the job that is to be undone: it was not there before
};

class Stepper {
 public:
  Stepper(Draft& draft, v1::JobRecord& record)
      : draft_(draft), record_(record), job_(*record.mutable_job()) {}

  absl::Status Begin() {
    if (job_.state() != v1::Job::SCHEDULED && job_.pins_total() > 0) return absl::OkStatus();
    job_.set_state(v1::Job::RUNNING);
    int64_t total = 1;
    if (!record_.has_pin()) {
      ASSIGN_OR_RETURN(total, draft_.Count(Prefix()));
    }
    job_.set_pins_total(total);
    return absl::OkStatus();
  }

  // The next pin that is the job's to change, past those that are not, which it counts. Nullopt:
  // there is none among the next some hundred.
  absl::StatusOr<std::optional<Next>> FindNext() {
    if (record_.has_pin()) return FindOnly();
    const int32_t looked_at = job_.has_undo_job() ? kLookedAtOnce : 1;
    ASSIGN_OR_RETURN(const store::RangeResult uses,
                     draft_.PageOf(Prefix(), {looked_at, record_.after()}));
    for (const store::KeyValue& kv : uses.kvs) {
      const std::optional<model::PinUse> use = model::ParsePinUse(kv.key);
      if (!use.has_value()) return model::Damaged(kv.key);
      Next next;
      next.pin.set_consumer(use->consumer);
      next.pin.set_service(record_.service());
      next.pin.set_method(use->method);
      next.pin.set_expression(record_.to());
      next.after = kv.key.substr(Prefix().size());
      ASSIGN_OR_RETURN(const bool mine, IsMine(next));
      if (mine) return next;
      Pass(next);
    }
    more_ = uses.more;
    return std::nullopt;
  }

  // Changes the pin; one that cannot be is noted with the reason, and the change forgotten.
  absl::Status Change(const Next& next) {
    Draft::Mark before = draft_.Here();
    const absl::StatusOr<bool> changed = job_.has_undo_job() ? Undo(next) : Set(next.pin);
    if (changed.ok()) {
      job_.set_changed(job_.changed() + (*changed ? 1 : 0));
      job_.set_unchanged(job_.unchanged() + (*changed ? 0 : 1));
    } else if (model::IsRefusal(changed.status())) {
      draft_.ReturnTo(std::move(before));
      Fail(next, std::string(changed.status().message()));
    } else {
      return changed.status();
    }
    GoTo(next);
    return absl::OkStatus();
  }

  // All pins are done with, or those that were looked at.
  bool PassOrEnd() {
    if (more_) return false;
    End(v1::Job::DONE, "job.finish", job_.reason());
    return true;
  }

  // Before the pin that would be next, which tells why.
  void Stop(const Next& next, const absl::Status& denied) {
    const std::string why =
        absl::StrCat("the job ended before this pin, since who started it has lost the right to: ",
                     std::string(denied.message()));
    model::AddFailure(job_, model::PinName(next.pin), why);
    End(v1::Job::CANCELLED, "job.cancel", why);
  }

 private:
  std::string Prefix() const { return model::PinUsesOf(record_.service(), record_.from()); }

  absl::StatusOr<std::optional<Next>> FindOnly() {
    if (job_.changed() + job_.unchanged() + job_.failed() > 0) return std::nullopt;
    Next next;
    next.pin = record_.pin();
    ASSIGN_OR_RETURN(const bool mine, IsMine(next));
    if (mine) return next;
    Pass(next);
    return std::nullopt;
  }

  // Whether an undoing job may touch it: the job that it undoes was the last to change it.
  absl::StatusOr<bool> IsMine(Next& next) {
    if (!job_.has_undo_job()) return true;
    const routing::v1::Pin& pin = next.pin;
    ASSIGN_OR_RETURN(
        const auto page,
        draft_.List<v1::PinChange>(model::PinChangesOf(pin.consumer(), pin.service(), pin.method()),
                                   {.size = 1, .newest_first = true}));
    if (page.records.empty()) return false;
    const v1::PinChange& newest = page.records[0].value;
    next.made = newest.old_expression().empty();
    return newest.job() == job_.undo_job().id();
  }

  absl::StatusOr<bool> Set(const routing::v1::Pin& pin) {
    v1::SetPinRequest request;
    if (job_.has_set_pin()) request = job_.set_pin();
    *request.mutable_pin() = pin;
    if (job_.has_move_pins() && job_.move_pins().has_drain()) {
      *request.mutable_pin()->mutable_drain() = job_.move_pins().drain();
    }
    request.set_reason(model::JobReason(job_));
    ASSIGN_OR_RETURN(const v1::PinResponse response, SetPinFor(draft_, request, job_.id()));
    return response.changed();
  }

  // What the pin said before; nothing, if the job had made it.
  absl::StatusOr<bool> Undo(const Next& next) {
    if (next.made) {
      RETURN_IF_ERROR(
          UnsetPinFor(draft_, RequestFor<v1::UnsetPinRequest>(next.pin), job_.id()).status());
      return true;
    }
    ASSIGN_OR_RETURN(
        const v1::PinResponse response,
        RollbackPinFor(draft_, RequestFor<v1::RollbackPinRequest>(next.pin), job_.id()));
    return response.changed();
  }

  template <typename Request>
  Request RequestFor(const routing::v1::Pin& pin) const {
    Request request;
    request.set_consumer(pin.consumer());
    request.set_service(pin.service());
    request.set_method(pin.method());
    request.set_reason(model::JobReason(job_));
    return request;
  }

  void Fail(const Next& next, const std::string& message) {
    model::AddFailure(job_, model::PinName(next.pin), message);
    draft_.Audit("job.skip", model::PinName(next.pin), nullptr, nullptr,
                 absl::StrCat(model::JobName(job_.id()), ": ", message));
  }

  void Pass(const Next& next) {
    job_.set_unchanged(job_.unchanged() + 1);
    GoTo(next);
  }

  void GoTo(const Next& next) { record_.set_after(next.after); }

  void End(v1::Job::State state, absl::string_view command, absl::string_view reason) {
    draft_.Delete(model::JobDueKey(job_.start_time().seconds(), job_.id()));
    job_.set_state(state);
    *job_.mutable_end_time() = draft_.now();
    v1::Job audited = job_;
    audited.clear_failures();  // each has a record of its own
    draft_.Audit(command, model::JobName(job_.id()), nullptr, &audited, reason);
  }

  Draft& draft_;
  v1::JobRecord& record_;
  v1::Job& job_;
  bool more_ = false;
};

absl::StatusOr<StepResult> Step(Draft& draft, const StepRequest& request) {
  const std::string key = model::JobKey(request.job);
  ASSIGN_OR_RETURN(auto stored, draft.Get<v1::JobRecord>(key));
  if (!stored.has_value()) return model::Damaged(key);
  if (model::HasEnded(stored->value.job())) return StepResult();
  v1::JobRecord& record = stored->value;
  Stepper stepper(draft, record);
  RETURN_IF_ERROR(stepper.Begin());
  const absl::Status allowed = request.rights ? request.rights(draft, record) : absl::OkStatus();
  if (!allowed.ok() && !absl::IsPermissionDenied(allowed)) return allowed;
  draft.AllowUnaudited();
  StepResult result{.ended = false};
  for (int i = 0; i < request.pins_max; ++i) {
    ASSIGN_OR_RETURN(const std::optional<Next> next, stepper.FindNext());
    if (!next.has_value()) {
      result.ended = stepper.PassOrEnd();
      break;
    }
    if (!allowed.ok()) {
      stepper.Stop(*next, allowed);
      result.ended = true;
      break;
    }
    RETURN_IF_ERROR(stepper.Change(*next));
  }
  draft.Put(key, record);
  return result;
}

// `steps` of one job. True: it has not ended.
absl::StatusOr<bool> RunSome(Registry& registry, int64_t id, size_t steps,
                             const JobRights& rights) {
  const Caller nobody;
  Draft reader(registry, nobody);
  ASSIGN_OR_RETURN(const auto record, reader.Get<v1::JobRecord>(model::JobKey(id)));
  if (!record.has_value()) return model::Damaged(model::JobKey(id));
  const Caller caller{record->value.job().meta().created_by()};
  const StepRequest many{.job = id, .rights = rights};
  const StepRequest one{.job = id, .rights = rights, .pins_max = 1};
  for (size_t i = 0; i < steps; ++i) {
    absl::StatusOr<StepResult> result = Run(registry, Step, caller, many);
    // Where each makes room for a new expression they are too much for one transaction. One pin is
    // not, and the others find what it has interned.
    if (absl::IsInvalidArgument(result.status())) result = Run(registry, Step, caller, one);
    RETURN_IF_ERROR(result.status());
    if (result->ended) return false;
  }
  return true;
}

}  // namespace

absl::StatusOr<bool> RunJobs(Registry& registry, const JobRights& rights) {
  const int64_t now = absl::ToUnixSeconds(registry.clock().Wall());
  ASSIGN_OR_RETURN(const store::RangeResult due,
                   registry.store().Range({.range = {model::kJobsDue, model::JobDueKey(now + 1, 0)},
                                           .limit = kJobsAtOnce,
                                           .keys_only = true}));
  bool more = due.more;
  FirstError error;
  for (const store::KeyValue& kv : due.kvs) {
    const std::optional<int64_t> id = model::ParseJobDue(kv.key);
    const size_t share = std::max<size_t>(1, kStepsAtOnce / due.kvs.size());
    const absl::StatusOr<bool> open = id.has_value() ? RunSome(registry, *id, share, rights)
                                                     : absl::StatusOr<bool>(model::Damaged(kv.key));
    if (!error.GoOnAfter(open.status())) break;
    more |= open.value_or(false);
  }
  RETURN_IF_ERROR(error.status());
  return more;
}

}  // namespace pinion::service
