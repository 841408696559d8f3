#include "clients/cli/plan_text.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/counted.h"
#include "base/status_macros.h"
#include "clients/cli/text.h"

namespace pinion::cli {
namespace {

// More moves than these nobody reads at a terminal.
constexpr int kShownMoves = 20;

std::string MeaningText(const std::string& expression, const std::string& version) {
  if (expression.empty()) return version.empty() ? "refused" : version;
  if (expression == version) return version;
  return absl::StrCat(expression, " (", version.empty() ? "refused" : version, ")");
}

// "14 days"
std::string DaysText(const google::protobuf::Duration& duration) {
  return Counted(duration.seconds() / (24 * 3600), "day");
}

// "; 14 calls in 14 days, the last at 2026-11-29 21:03:17Z", "; no calls in 14 days", or nothing
// where nobody knows. `Known` has calls and last_call.
template <typename Known>
std::string CallsText(const Known& known, const std::string& window) {
  if (!known.has_calls()) return "";
  if (known.calls() == 0) return absl::StrCat("; no calls in ", window);
  return absl::StrCat("; ", Counted(known.calls(), "call"), " in ", window, ", the last at ",
                      TimeText(known.last_call()));
}

// "billing: ^1 (1.0.0) → ^2 (2.0.0); 14 calls in 14 days, the last at 2026-11-29 21:03:17Z"
std::string MoveText(const v1::PlannedMove& move, const std::string& window) {
  std::string who = move.consumer().empty() ? "callers without a pin" : move.consumer();
  if (!move.method().empty()) absl::StrAppend(&who, " ", move.method());
  return absl::StrCat(who, ": ", MeaningText(move.old_expression(), move.old_version()), " → ",
                      MeaningText(move.new_expression(), move.new_version()),
                      CallsText(move, window));
}

std::string MissingText(const v1::PlannedStep::MissingMethod& missing, const std::string& window) {
  std::string text =
      absl::StrCat("  it does not have ", missing.method(), CallsText(missing, window));
  std::string callers = absl::StrJoin(missing.consumers(), ", ", [](std::string* out, auto& name) {
    absl::StrAppend(out, name.empty() ? "callers that are not registered" : name);
  });
  if (!callers.empty()) absl::StrAppend(&text, ", by ", callers);
  return text + "\n";
}

std::string StepText(const v1::PlannedStep& step, const std::string& window) {
  if (step.new_version().empty()) return "";
  std::string text = absl::StrCat("to ", step.new_version(), ", which has ",
                                  Counted(step.instances(), "instance"), "\n");
  if (!step.old_version().empty()) text = absl::StrCat("from ", step.old_version(), " ", text);
  for (const auto& missing : step.missing_methods()) {
    absl::StrAppend(&text, MissingText(missing, window));
  }
  if (step.breaking() + step.dangerous() == 0) return text;
  absl::StrAppend(&text, "  for code written against ", step.old_version(), ": ",
                  Counted(step.breaking(), "breaking change"), ", ", step.dangerous(),
                  " dangerous\n");
  for (const std::string& finding : step.findings()) {
    absl::StrAppend(&text, "    ", finding, "\n");
  }
  if (step.breaking() + step.dangerous() > step.findings_size()) {
    absl::StrAppend(&text, "    and more: pinion schema check lists them\n");
  }
  return text;
}

}  // namespace

std::string BlockersText(
    const google::protobuf::RepeatedPtrField<v1::RetirementBlocker>& blockers) {
  std::string text;
  for (const v1::RetirementBlocker& blocker : blockers) {
    const bool about_version = blocker.kind() == v1::RetirementBlocker::STATE ||
                               blocker.kind() == v1::RetirementBlocker::SUNSET_AHEAD;
    absl::StrAppend(&text, "  ", about_version ? "" : blocker.subject() + " ", blocker.message());
    if (!blocker.command().empty()) absl::StrAppend(&text, ": ", blocker.command());
    if (blocker.has_until()) absl::StrAppend(&text, ": wait until ", TimeText(blocker.until()));
    absl::StrAppend(&text, "\n");
  }
  return text;
}

std::string PlanText(const v1::PlanResponse& plan) {
  std::string text;
  if (!plan.refusal().empty()) {
    return absl::StrCat("it would be refused (", plan.refusal_reason(), "): ", plan.refusal(), "\n",
                        BlockersText(plan.blockers()));
  }
  if (!plan.changes()) absl::StrAppend(&text, "it would change nothing\n");
  for (const std::string& note : plan.notes()) absl::StrAppend(&text, note, "\n");
  const std::string window = DaysText(plan.usage_window());
  const int shown = std::min(plan.moves_size(), kShownMoves);
  for (int i = 0; i < shown; ++i) absl::StrAppend(&text, MoveText(plan.moves(i), window), "\n");
  if (plan.moves_total() > shown) {
    absl::StrAppend(&text, "and ", plan.moves_total() - shown, " more; -o json names the first ",
                    plan.moves_size(), "\n");
  }
  for (const v1::PlannedStep& step : plan.steps()) absl::StrAppend(&text, StepText(step, window));
  if (!plan.blockers().empty()) {
    absl::StrAppend(&text, "by force, in spite of:\n", BlockersText(plan.blockers()));
  }
  if (plan.changes() && plan.moves_total() == 0) {
    absl::StrAppend(&text, "nobody gets another version by it\n");
  }
  absl::StrAppend(&text, "nothing has been changed\n");
  return text;
}

absl::Status PrintPlan(Invocation& run, const v1::PlanRequest& request) {
  ASSIGN_OR_RETURN(const v1::PlanResponse plan, run.registry().Plan(request));
  run.Print(plan, PlanText(plan));
  if (!plan.refusal().empty()) run.set_exit_status(kExitFailed);
  return absl::OkStatus();
}

}  // namespace pinion::cli
