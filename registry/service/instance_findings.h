// What a check of an instance has found, and taking it over into the instance's record.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
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

// Whether PutFinding() would write, as far as `instance` and `policy` say. Pure.
bool IsNews(const registry::v1::Instance& instance, model::Verification policy,
            const Finding& finding);

// Makes `finding` the instance's verdict, with what follows by its service's policy: it gets calls
// or gets none any more, and its version becomes active. Writes, with an audit record by
// "registry", only if something is otherwise than before. NotFound: the instance is gone.
absl::StatusOr<registry::v1::Instance> PutFinding(Registry& registry, const std::string& uid,
                                                  const Finding& finding);

}  // namespace pinion::service
