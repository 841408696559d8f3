// What those who would move have called lately.
#include <algorithm>
#include <map>
#include <set>

#include "base/proto_duration.h"
#include "registry/model/usage.h"
#include "registry/service/operations.h"
#include "registry/service/plan_moves.h"

namespace pinion::service {
namespace {

constexpr int kNamedCallers = 10;

using Totals = std::vector<v1::UsageTotal>;

absl::StatusOr<Totals> UsageOf(Draft& draft, const std::string& service,
                               const std::string& version) {
  v1::ListUsageRequest request;
  request.set_service(service);
  request.set_version(version);
  ASSIGN_OR_RETURN(const v1::ListUsageResponse found, ListUsage(draft, request));
  return Totals(found.totals().begin(), found.totals().end());
}

// Adds one caller's calls to what is known. `Known` has calls and last_call.
template <typename Known>
void AddCalls(const v1::UsageTotal& total, Known& known) {
  known.set_calls(known.calls() + total.calls());
  if (total.last_seen().seconds() > known.last_call().seconds()) {
    *known.mutable_last_call() = total.last_seen();
  }
}

void FillMove(const Totals& totals, v1::PlannedMove& move) {
  move.set_calls(0);
  for (const v1::UsageTotal& total : totals) {
    const bool his = !total.others() && total.consumer() == move.consumer() &&
                     (move.method().empty() || move.method() == total.method());
    if (his) AddCalls(total, move);
  }
}

// `movers`: null if not all are known, and then whoever called counts.
void FillMissing(const Totals& totals, const std::set<std::string>* movers,
                 v1::PlannedStep::MissingMethod& missing) {
  missing.set_calls(0);
  for (const v1::UsageTotal& total : totals) {
    if (total.method() != missing.method() || total.calls() == 0) continue;
    if (movers != nullptr && !movers->contains(total.consumer())) continue;
    AddCalls(total, missing);
    if (missing.consumers_size() < kNamedCallers) missing.add_consumers(total.consumer());
  }
}

}  // namespace

absl::Status AddEvidence(Draft& draft, const std::string& service, v1::PlanResponse& response) {
  *response.mutable_usage_window() = ToProto(model::kUsageRetention);
  std::map<std::string, Totals> usage;
  const bool all_named = response.moves_total() == response.moves_size();
  for (v1::PlannedStep& step : *response.mutable_steps()) {
    if (step.old_version().empty()) continue;
    auto it = usage.find(step.old_version());
    if (it == usage.end()) {
      ASSIGN_OR_RETURN(Totals totals, UsageOf(draft, service, step.old_version()));
      it = usage.emplace(step.old_version(), std::move(totals)).first;
    }
    // Nothing was ever reported: that is no evidence that nobody calls.
    if (it->second.empty()) continue;
    std::set<std::string> movers;
    for (v1::PlannedMove& move : *response.mutable_moves()) {
      if (move.old_version() != step.old_version() || move.new_version() != step.new_version()) {
        continue;
      }
      movers.insert(move.consumer());
      FillMove(it->second, move);
    }
    for (auto& missing : *step.mutable_missing_methods()) {
      FillMissing(it->second, all_named ? &movers : nullptr, missing);
    }
  }
  return absl::OkStatus();
}

}  // namespace pinion::service
