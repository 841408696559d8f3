// What a check of an instance has found, and taking it over into the instance's record.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "registry/model/instance_checks.h"
#include "registry/service/draft.h"

namespace pinion::service {

struct Finding {
  model::Verdict verdict = registry::v1::InstanceCheck::VERDICT_UNSPECIFIED;
  // Going on after the instance's name; empty: the verdict says it all.
  std::string message;
  std::vector<std::string> differences;  // of the schema that it shows
};

// What `before` becomes by `finding` at `now`: words that change alone are not worth a revision,
// but for those that say what to mend. Pure. Not for instances of services that verify nothing.
registry::v1::InstanceCheck NextCheck(const registry::v1::InstanceCheck& before,
                                      model::Verification policy, const Finding& finding,
                                      const google::protobuf::Timestamp& now);

// What PutFindings() would change.
enum class Effect {
  kNone,
  kForPeople,  // what is known of the instance
  kForCalls,   // whether it gets any
};

// As far as `instance` and `policy` say. Pure.
Effect EffectOf(const registry::v1::Instance& instance, model::Verification policy,
                const Finding& finding);

// A finding that differs from what stands.
struct News {
  registry::v1::Instance instance;  // as it stood when it was checked
  Finding finding;
};

// So many fit into one transaction: for each its record and its service are compared, and that the
// id of its audit record is free; the rest is the audit chain's.
inline constexpr size_t kMaxNewsAtOnce = 38;

// Makes each finding its instance's verdict, with what follows by the service's policy: it gets
// calls or gets none any more, and its version becomes active. Writes, with an audit record by
// "registry" for each, only what is otherwise than before: all in one revision, but for each that
// makes a version active. An instance that others have changed since it was checked stays as it is;
// the next check judges it anew. REQUIRES: at most kMaxNewsAtOnce, each of another instance.
//
// Returns how each instance stands now, in their order. NotFound: it is gone.
std::vector<absl::StatusOr<registry::v1::Instance>> PutFindings(Registry& registry,
                                                                absl::Span<const News> news);

}  // namespace pinion::service
