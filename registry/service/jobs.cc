// Jobs as people ask for them; what carries them out is job_runner.cc.
#include "registry/model/jobs.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "registry/model/errors.h"
#include "registry/model/keys.h"
#include "registry/model/validate.h"
#include "registry/service/lookups.h"
#include "registry/service/operations.h"
#include "registry/service/pin_changes.h"

namespace pinion::service {
namespace {

// More changes than these nobody plans ahead; each is looked at once a second.
constexpr int64_t kMaxOpenJobs = 1000;

absl::StatusOr<Stored<v1::JobRecord>> RequireJob(Draft& draft, int64_t id) {
  std::optional<Stored<v1::JobRecord>> record;
  if (id > 0) {
    ASSIGN_OR_RETURN(record, draft.Get<v1::JobRecord>(model::JobKey(id)));
  }
  if (record.has_value()) return *std::move(record);
  return model::Refusal(absl::StatusCode::kNotFound, "JOB_UNKNOWN",
                        absl::StrCat("there is no job ", id, "; `pinion job list` shows them"),
                        {{"job", absl::StrCat(id)}});
}

// Makes `text` canonical. `now`: it has to mean something already; the result is the version.
absl::StatusOr<std::string> CheckTarget(Draft& draft, const std::string& service_name, bool now,
                                        std::string& text) {
  ASSIGN_OR_RETURN(const auto service, RequireApi(draft, service_name, "pins"));
  ASSIGN_OR_RETURN(const version::Expression expression,
                   ParseExpression(service.value.service(), text));
  text = std::string(expression.canonical());
  if (!now) return "";
  return MeaningForPin(draft, service.value.service(), expression);
}

absl::Status FillSetPin(Draft& draft, const v1::SetPinRequest& asked, bool now,
                        v1::JobRecord& record) {
  RETURN_IF_ERROR(model::ValidatePin(asked.pin()));
  RETURN_IF_ERROR(RequireConsumer(draft, asked.pin().consumer()).status());
  routing::v1::Pin& pin = *record.mutable_pin();
  pin = asked.pin();
  return CheckTarget(draft, pin.service(), now, *pin.mutable_expression()).status();
}

absl::Status FillMovePins(Draft& draft, v1::MovePins& move, bool now, v1::JobRecord& record) {
  RETURN_IF_ERROR(NormalizeMove(draft, move, now).status());
  record.set_service(move.service());
  record.set_from(move.from());
  record.set_to(move.to());
  return absl::OkStatus();
}

absl::Status FillUndoJob(Draft& draft, const v1::UndoJob& undo, v1::JobRecord& record) {
  ASSIGN_OR_RETURN(const auto undone, RequireJob(draft, undo.id()));
  if (!model::HasEnded(undone.value.job())) {
    return model::Refusal(
        absl::StatusCode::kFailedPrecondition, "JOB_OPEN",
        absl::StrCat("job ", undo.id(), " has not ended; `pinion job cancel ", undo.id(),
                     "` ends it, and then what it has changed can be undone"),
        {{"job", absl::StrCat(undo.id())}});
  }
  if (undone.value.has_pin()) *record.mutable_pin() = undone.value.pin();
  record.set_service(undone.value.service());
  record.set_from(undone.value.to());
  record.set_to(undone.value.from());
  return absl::OkStatus();
}

absl::Status FillChange(Draft& draft, const v1::StartJobRequest& request, bool now,
                        v1::JobRecord& record) {
  v1::Job& job = *record.mutable_job();
  switch (request.change_case()) {
    case v1::StartJobRequest::kSetPin:
      *job.mutable_set_pin() = request.set_pin();
      return FillSetPin(draft, request.set_pin(), now, record);
    case v1::StartJobRequest::kMovePins:
      *job.mutable_move_pins() = request.move_pins();
      return FillMovePins(draft, *job.mutable_move_pins(), now, record);
    case v1::StartJobRequest::kUndoJob:
      *job.mutable_undo_job() = request.undo_job();
      return FillUndoJob(draft, request.undo_job(), record);
    case v1::StartJobRequest::CHANGE_NOT_SET:
      break;
  }
  return model::Refusal(absl::StatusCode::kInvalidArgument, "ARGUMENT_INVALID",
                        "a job needs a change: set_pin, move_pins or undo_job");
}

// The first number that no job has. Two who take it at once collide on its key.
absl::StatusOr<int64_t> NextJobId(Draft& draft) {
  ASSIGN_OR_RETURN(const auto newest,
                   draft.List<v1::JobRecord>(model::kJobs, {.size = 1, .newest_first = true}));
  const int64_t id = newest.records.empty() ? 1 : newest.records[0].value.job().id() + 1;
  RETURN_IF_ERROR(draft.Get<v1::JobRecord>(model::JobKey(id)).status());
  return id;
}

absl::Status CheckRoom(Draft& draft) {
  ASSIGN_OR_RETURN(const int64_t open, draft.Count(model::kJobsDue));
  if (open < kMaxOpenJobs) return absl::OkStatus();
  return model::Refusal(absl::StatusCode::kResourceExhausted, "LIMIT_EXCEEDED",
                        absl::StrCat(open,
                                     " jobs have not ended, and there may be no more; "
                                     "`pinion job list --open` shows them"),
                        {{"open", absl::StrCat(open)}});
}

}  // namespace

absl::StatusOr<std::string> NormalizeMove(Draft& draft, v1::MovePins& move, bool now) {
  RETURN_IF_ERROR(CheckTarget(draft, move.service(), /*now=*/false, *move.mutable_from()).status());
  ASSIGN_OR_RETURN(std::string meaning,
                   CheckTarget(draft, move.service(), now, *move.mutable_to()));
  RETURN_IF_ERROR(model::ValidateMove(move));
  return meaning;
}

absl::StatusOr<v1::Job> StartJob(Draft& draft, const v1::StartJobRequest& request) {
  RETURN_IF_ERROR(model::ValidateText("reason", request.reason(), model::kMaxReasonBytes));
  const int64_t now = draft.now().seconds();
  const int64_t start = request.has_start_time() ? request.start_time().seconds() : now;
  RETURN_IF_ERROR(model::ValidateStart(start, now, request.has_start_time()));
  v1::JobRecord record;
  RETURN_IF_ERROR(FillChange(draft, request, /*now=*/!request.has_start_time(), record));
  RETURN_IF_ERROR(CheckRoom(draft));
  v1::Job& job = *record.mutable_job();
  ASSIGN_OR_RETURN(const int64_t id, NextJobId(draft));
  job.set_id(id);
  job.set_state(request.has_start_time() ? v1::Job::SCHEDULED : v1::Job::RUNNING);
  job.set_reason(request.reason());
  job.mutable_start_time()->set_seconds(start);
  *job.mutable_meta() = draft.NewMeta("");
  const std::vector<std::string>& subjects = draft.caller().subjects;
  record.mutable_subjects()->Assign(subjects.begin(), subjects.end());
  draft.Put(model::JobKey(id), record);
  draft.PutBytes(model::JobDueKey(start, id), "");
  draft.Audit("job.start", model::JobName(id), nullptr, &job, request.reason());
  return job;
}

absl::StatusOr<v1::Job> GetJob(Draft& draft, const v1::GetJobRequest& request) {
  ASSIGN_OR_RETURN(auto record, RequireJob(draft, request.id()));
  return std::move(*record.value.mutable_job());
}

absl::StatusOr<v1::ListJobsResponse> ListJobs(Draft& draft, const v1::ListJobsRequest& request) {
  ASSIGN_OR_RETURN(
      Page<v1::JobRecord> page,
      draft.List<v1::JobRecord>(
          model::kJobs, {request.page_size(), request.page_token(), /*newest_first=*/true}));
  v1::ListJobsResponse response;
  for (auto& record : page.records) {
    if (request.open() && model::HasEnded(record.value.job())) continue;
    *response.add_jobs() = std::move(*record.value.mutable_job());
  }
  response.set_next_page_token(page.next_token);
  return response;
}

absl::StatusOr<v1::Job> CancelJob(Draft& draft, const v1::CancelJobRequest& request) {
  RETURN_IF_ERROR(model::ValidateText("reason", request.reason(), model::kMaxReasonBytes));
  ASSIGN_OR_RETURN(auto record, RequireJob(draft, request.id()));
  v1::Job& job = *record.value.mutable_job();
  if (job.state() == v1::Job::CANCELLED) return job;
  if (job.state() == v1::Job::DONE) {
    return model::Refusal(absl::StatusCode::kFailedPrecondition, "JOB_ENDED",
                          absl::StrCat("job ", job.id(), " is done; `pinion job undo ", job.id(),
                                       "` takes back what it has changed"),
                          {{"job", absl::StrCat(job.id())}});
  }
  const v1::Job before = job;
  draft.Delete(model::JobDueKey(job.start_time().seconds(), job.id()));
  job.set_state(v1::Job::CANCELLED);
  *job.mutable_end_time() = draft.now();
  draft.Touch(*job.mutable_meta());
  draft.Put(model::JobKey(job.id()), record.value);
  draft.Audit("job.cancel", model::JobName(job.id()), &before, &job, request.reason());
  return job;
}

}  // namespace pinion::service
