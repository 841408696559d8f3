// Who would get another version: the callers that a planned change moves. Reads through a draft
// that is never committed.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "pinion/registry/v1/registry.pb.h"
#include "registry/service/draft.h"

namespace pinion::service {

// Where a consumer's calls would go without a pin, and by which expression. Both empty: they would
// be refused.
struct Unpinned {
  std::string expression;
  std::string version;
};

// The consumer's default channel, or else the service's policy. The version in the name of a
// package, which stands between them, is not looked at.
absl::StatusOr<Unpinned> WithoutPin(Draft& draft, const std::string& service,
                                    const std::string& consumer);

// Gathers the moves of one plan, for one service.
class PlannedMoves {
 public:
  // The version that an expression means for a consumer (empty: one that is not registered), now
  // or after the change; empty: none.
  using Meaning = std::function<std::string(const std::string& consumer)>;

  PlannedMoves(Draft& draft, std::string service) : draft_(draft), service_(std::move(service)) {}

  // What stays on its version is left out.
  void Add(registry::v1::PlannedMove move);
  // All pins that say `expression` and are going to say `new_expression`.
  absl::Status AddPinsOn(const std::string& expression, const std::string& new_expression,
                         const Meaning& before, const Meaning& after);
  // Who follows `channel` without a pin: consumers by default, and callers by the service's policy,
  // all at once but for the consumers whom a ramp leads elsewhere.
  absl::Status AddFollowersOf(const std::string& channel, const Meaning& before,
                              const Meaning& after);

  // (old version, new version) → how many moves from the one to the other.
  const std::map<std::pair<std::string, std::string>, int64_t>& pairs() const { return pairs_; }

  // Into `response`: the number of moves, the first thousand of them, and notes.
  void MoveInto(registry::v1::PlanResponse& response);

 private:
  // `by_policy`: the service's policy is the channel's.
  absl::Status AddConsumersWithoutPin(const std::string& channel, bool by_policy,
                                      const Meaning& before, const Meaning& after);
  absl::StatusOr<bool> HasPin(const std::string& consumer);

  Draft& draft_;
  const std::string service_;
  registry::v1::PlanResponse gathered_;
  std::map<std::pair<std::string, std::string>, int64_t> pairs_;
};

// What lies between the versions of each pair: methods, schemas, instances. At most ten pairs,
// those with the most consumers.
absl::Status AddSteps(Draft& draft, const std::string& service,
                      const std::map<std::pair<std::string, std::string>, int64_t>& pairs,
                      registry::v1::PlanResponse& response);

// What those who move have called lately, as gateways have reported, of the old versions of the
// steps.
absl::Status AddEvidence(Draft& draft, const std::string& service,
                         registry::v1::PlanResponse& response);

}  // namespace pinion::service
