// The second half of a scenario, drawn from a stream of its own, so that a draw more in one half
// leaves what seeds mean in the other: policies of retries and the failures that they are
// for, 1xx responses, readers that rest for long, pins that move with a drain time, calls that are
// not gRPC.
#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/sim/scenario.h"

namespace pinion::sim {
namespace {

using testing::Random;
using testing::ResponsePlan;

RetrySpec DrawRetries(Random& random) {
  RetrySpec retry;
  retry.attempts_max = static_cast<int>(random.Between(uint64_t{2}, uint64_t{5}));
  retry.codes = {14};
  if (random.OneIn(2)) retry.codes.insert(10);
  if (random.OneIn(4)) retry.codes.insert(13);
  return retry;
}

void DrawFailures(Random& random, ResponsePlan& response) {
  constexpr int kStatuses[] = {14, 14, 10, 5};
  constexpr const char* kPushbacks[] = {"0", "20", "700", "-1", "x"};
  response.failing_attempts = static_cast<int>(random.Between(uint64_t{1}, uint64_t{4}));
  response.failing_status = random.PickFrom(kStatuses);
  if (random.OneIn(4)) {
    response.failing_trailers = {{"grpc-retry-pushback-ms", random.PickFrom(kPushbacks)}};
  }
}

// Where a pin moves, its streams may have to end.
void DrawDrains(Random& random, std::vector<TableChange>& tables) {
  for (size_t i = 1; i < tables.size(); ++i) {
    const TableState& before = tables[i - 1].table;
    TableState& table = tables[i].table;
    for (const auto& [consumer, expression] : table.pins) {
      const auto old = before.pins.find(consumer);
      if (old != before.pins.end() && old->second == expression) {
        const auto drain = before.drains.find(consumer);
        if (drain != before.drains.end()) table.drains.insert(*drain);
      } else if (random.OneIn(2)) {
        table.drains[consumer] = static_cast<int>(random.Between(uint64_t{1}, uint64_t{3}));
      }
    }
  }
}

}  // namespace

void DrawExtras(uint64_t seed, Scenario& scenario) {
  Random random(seed ^ 0x706f6c6963696573);
  if (random.OneIn(3)) scenario.retry = DrawRetries(random);
  const bool failing = random.OneIn(2);
  const bool slow = random.OneIn(3);
  for (CallStart& call : scenario.calls) {
    ResponsePlan& response = call.plan.response;
    if (failing && random.OneIn(4)) DrawFailures(random, response);
    if (random.OneIn(8))
      response.interims = static_cast<int>(random.Between(uint64_t{1}, uint64_t{3}));
    if (slow && random.OneIn(10)) {
      call.plan.response_reading.pauses = {
          {0, random.Between(absl::Seconds(1), absl::Seconds(20))}};
    }
  }
  DrawDrains(random, scenario.tables);
  scenario.any_http2 = random.OneIn(3);
  for (CallStart& call : scenario.calls) {
    if (scenario.any_http2 && random.OneIn(3)) call.plan.grpc = false;
  }
}

}  // namespace pinion::sim
