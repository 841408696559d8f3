// pinion job list | get | cancel | undo
#include <memory>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "base/clock.h"
#include "base/counted.h"
#include "base/status_macros.h"
#include "clients/cli/commands.h"
#include "clients/cli/jobs.h"
#include "clients/cli/moment.h"
#include "clients/cli/pages.h"
#include "clients/cli/progress.h"
#include "clients/cli/table.h"
#include "clients/cli/text.h"

namespace pinion::cli {
namespace {

constexpr absl::Duration kLookAgain = absl::Milliseconds(250);

bool HasEnded(const v1::Job& job) {
  return job.state() == v1::Job::DONE || job.state() == v1::Job::CANCELLED;
}

std::string CountsText(const v1::Job& job) {
  std::string text = absl::StrCat(Counted(job.changed(), "pin"), " changed");
  if (job.unchanged() > 0) absl::StrAppend(&text, ", ", job.unchanged(), " left as they were");
  if (job.failed() > 0) absl::StrAppend(&text, ", ", job.failed(), " refused");
  return text;
}

std::string FailuresText(const v1::Job& job) {
  constexpr int kShown = 10;
  std::string text;
  for (int i = 0; i < std::min(job.failures_size(), kShown); ++i) {
    absl::StrAppend(&text, "  ", job.failures(i).pin(), ": ", job.failures(i).message(), "\n");
  }
  if (job.failed() > kShown) {
    absl::StrAppend(&text, "  and ", job.failed() - kShown, " more: pinion job get ", job.id(),
                    " -o json\n");
  }
  return text;
}

// What became of it, and what can be done now.
std::string OutcomeText(const v1::Job& job) {
  std::string text = absl::StrCat("job ", job.id(), ", ", JobChangeText(job), ": ");
  switch (job.state()) {
    case v1::Job::SCHEDULED:
      absl::StrAppend(&text, "begins at ", TimeText(job.start_time()), "\nundo: pinion job cancel ",
                      job.id(), "\n");
      return text;
    case v1::Job::RUNNING:
      absl::StrAppend(&text, "is running; ", CountsText(job), "\nwatch: pinion job get ", job.id(),
                      "\n");
      return text;
    default:
      break;
  }
  absl::StrAppend(&text, CountsText(job),
                  job.state() == v1::Job::CANCELLED ? ", then it was cancelled" : "", "\n",
                  FailuresText(job));
  if (job.changed() > 0) absl::StrAppend(&text, "undo: pinion job undo ", job.id(), "\n");
  return text;
}

// Its last state; as it is, if the user has asked to stop.
absl::StatusOr<v1::Job> WaitForEnd(Invocation& run, v1::Job job) {
  Progress progress(run, "pins");
  while (!HasEnded(job) && !run.WaitForStop(kLookAgain)) {
    v1::GetJobRequest request;
    request.set_id(job.id());
    ASSIGN_OR_RETURN(job, run.registry().GetJob(request));
    progress.At(job.changed() + job.unchanged() + job.failed(), job.pins_total());
  }
  return job;
}

void PrintOutcome(Invocation& run, const v1::Job& job) {
  run.Print(job, OutcomeText(job));
  if (HasEnded(job) && job.failed() > 0) run.set_exit_status(kExitFailed);
}

std::string Fields(const v1::Job& job) {
  return absl::StrCat(RenderFields({
                          {"job", absl::StrCat(job.id())},
                          {"change", JobChangeText(job)},
                          {"state", v1::Job::State_Name(job.state())},
                          {"begins", TimeText(job.start_time())},
                          {"ended", TimeText(job.end_time())},
                          {"pins", job.pins_total() == 0 ? "" : absl::StrCat(job.pins_total())},
                          {"so far", CountsText(job)},
                          {"reason", job.reason()},
                          {"started by", absl::StrCat(job.meta().created_by(), ", ",
                                                      TimeText(job.meta().create_time()))},
                      }),
                      FailuresText(job));
}

// `pinion job VERB JOB`.
absl::StatusOr<int64_t> JobId(const std::string& text) {
  int64_t id = 0;
  if (absl::SimpleAtoi(text, &id) && id > 0) return id;
  return UsageError(
      absl::StrCat("\"", text, "\" is no job: `pinion job list` shows their numbers"));
}

void AddList(Command& command, Invocation& run) {
  auto request = std::make_shared<v1::ListJobsRequest>();
  auto open = std::make_shared<bool>(false);
  command.Flag("--open", open.get(), "Only those that have not ended");
  command.Examples("  pinion job list --open");
  command.Run([request, open, &run]() -> absl::Status {
    request->set_open(*open);
    ASSIGN_OR_RETURN(const v1::ListJobsResponse list,
                     AllPages(run.registry(), &RegistryClient::ListJobs, *request));
    Table table({"JOB", "CHANGE", "STATE", "BEGINS", "PINS", "CHANGED", "REFUSED", "BY", "REASON"});
    for (const v1::Job& job : list.jobs()) {
      table.Add({absl::StrCat(job.id()), JobChangeText(job), v1::Job::State_Name(job.state()),
                 TimeText(job.start_time()), absl::StrCat(job.pins_total()),
                 absl::StrCat(job.changed()), absl::StrCat(job.failed()), job.meta().created_by(),
                 job.reason()});
    }
    run.Print(list, table.empty() ? "no jobs: `pinion pin set` makes them, with --at or "
                                    "--all-consumers-of\n"
                                  : table.Render());
    return absl::OkStatus();
  });
}

void AddGet(Command& command, Invocation& run) {
  auto id = std::make_shared<std::string>();
  command.Argument("JOB", id.get(), "Its number");
  command.Examples("  pinion job get 3");
  command.Run([id, &run]() -> absl::Status {
    v1::GetJobRequest request;
    ASSIGN_OR_RETURN(const int64_t number, JobId(*id));
    request.set_id(number);
    ASSIGN_OR_RETURN(const v1::Job job, run.registry().GetJob(request));
    run.Print(job, Fields(job));
    return absl::OkStatus();
  });
}

void AddCancel(Command& command, Invocation& run) {
  auto id = std::make_shared<std::string>();
  auto reason = std::make_shared<std::string>();
  command.Argument("JOB", id.get(), "Its number");
  command.Option("--reason", "TEXT", reason.get(), "For the audit log");
  command.Examples("  pinion job cancel 3");
  command.Run([id, reason, &run]() -> absl::Status {
    v1::CancelJobRequest request;
    ASSIGN_OR_RETURN(const int64_t number, JobId(*id));
    request.set_id(number);
    request.set_reason(*reason);
    ASSIGN_OR_RETURN(const v1::Job job, run.registry().CancelJob(request));
    run.Print(job, OutcomeText(job));
    return absl::OkStatus();
  });
}

void AddUndo(Command& command, Invocation& run) {
  struct Flags {
    std::string id;
    JobStart start;
    std::string reason;
  };
  auto flags = std::make_shared<Flags>();
  command.Argument("JOB", &flags->id, "The number of a job that has ended");
  command.Option("--reason", "TEXT", &flags->reason, "For the history");
  command.Option("--at", "MOMENT", &flags->start.at, "Not now: 'monday 09:00'");
  command.Flag("--detach", &flags->start.detach, "Do not wait until it is done");
  command.Examples(
      "Each pin that the job has changed, and nobody since, says again what it said before.\n"
      "This is a job as well, and can be undone.\n"
      "  pinion job undo 3");
  command.Run([flags, &run]() -> absl::Status {
    v1::StartJobRequest request;
    ASSIGN_OR_RETURN(const int64_t number, JobId(flags->id));
    request.mutable_undo_job()->set_id(number);
    request.set_reason(flags->reason);
    return StartJob(run, std::move(request), flags->start);
  });
}

}  // namespace

std::string JobChangeText(const v1::Job& job) {
  switch (job.change_case()) {
    case v1::Job::kSetPin: {
      const routing::v1::Pin& pin = job.set_pin().pin();
      return absl::StrCat("pin ", pin.consumer(), " ", pin.service(),
                          pin.method().empty() ? "" : " ", pin.method(), " → ", pin.expression());
    }
    case v1::Job::kMovePins:
      return absl::StrCat("pins of ", job.move_pins().service(), ", ", job.move_pins().from(),
                          " → ", job.move_pins().to());
    case v1::Job::kUndoJob:
      return absl::StrCat("undo of job ", job.undo_job().id());
    case v1::Job::CHANGE_NOT_SET:
      break;
  }
  return "a change that this program does not know";
}

absl::Status StartJob(Invocation& run, v1::StartJobRequest request, const JobStart& start) {
  if (!start.at.empty()) {
    ASSIGN_OR_RETURN(const absl::Time time,
                     ParseMoment("--at", start.at, SystemClock().Wall(), absl::LocalTimeZone()));
    request.mutable_start_time()->set_seconds(absl::ToUnixSeconds(time));
  }
  const bool waits = start.at.empty() && !start.detach;
  // From here on a stop is noticed, and ends the waiting only.
  if (waits) run.WaitForStop(absl::ZeroDuration());
  ASSIGN_OR_RETURN(v1::Job job, run.registry().StartJob(request));
  if (waits) {
    ASSIGN_OR_RETURN(job, WaitForEnd(run, std::move(job)));
  }
  PrintOutcome(run, job);
  if (job.state() == v1::Job::SCHEDULED && run.for_people()) {
    run.out() << "here that is "
              << MomentText(absl::FromUnixSeconds(job.start_time().seconds()),
                            absl::LocalTimeZone())
              << "\n";
  }
  return absl::OkStatus();
}

void AddJobCommands(Command& root, Invocation& run) {
  Command& job = root.Sub("job", "Changes of pins that are many, or that come later");
  AddList(job.Sub("list", "Jobs, newest first"), run);
  AddGet(job.Sub("get", "How far one is, and what it could not change"), run);
  AddCancel(job.Sub("cancel", "End one; what it has changed stays"), run);
  AddUndo(job.Sub("undo", "Take back what one has changed"), run);
}

}  // namespace pinion::cli
