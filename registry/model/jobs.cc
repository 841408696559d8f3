#include "registry/model/jobs.h"

#include "absl/strings/str_cat.h"
#include "registry/model/errors.h"
#include "registry/model/validate.h"

namespace pinion::model {
namespace {

using registry::v1::Job;

// What is put off for longer than this was meant otherwise.
constexpr int64_t kMaxAheadSeconds = int64_t{10} * 365 * 24 * 3600;

absl::Status Invalid(absl::string_view message) {
  return Refusal(absl::StatusCode::kInvalidArgument, "ARGUMENT_INVALID", message);
}

}  // namespace

bool HasEnded(const Job& job) { return job.state() == Job::DONE || job.state() == Job::CANCELLED; }

std::string JobName(int64_t id) { return absl::StrCat("job ", id); }

std::string JobReason(const Job& job) {
  const std::string& reason =
      job.reason().empty() && job.has_set_pin() ? job.set_pin().reason() : job.reason();
  return absl::StrCat(JobName(job.id()), reason.empty() ? "" : ": ", reason);
}

absl::Status ValidateMove(const registry::v1::MovePins& move) {
  if (move.from() == move.to()) {
    return Invalid(absl::StrCat("pins that say '", move.from(), "' say so already: name another ",
                                "expression for them to move to"));
  }
  return ValidateDrain(move.drain());
}

absl::Status ValidateStart(int64_t start, int64_t now, bool given) {
  if (!given) return absl::OkStatus();
  if (start <= now) {
    return Invalid("the start of a job must be in the future; without one it begins at once");
  }
  if (start - now > kMaxAheadSeconds) return Invalid("the start of a job is over ten years ahead");
  return absl::OkStatus();
}

void AddFailure(Job& job, absl::string_view pin, absl::string_view message) {
  job.set_failed(job.failed() + 1);
  if (job.failures_size() >= kMaxNamedFailures) return;
  Job::Failure& failure = *job.add_failures();
  failure.set_pin(std::string(pin));
  failure.set_message(std::string(message));
}

}  // namespace pinion::model
