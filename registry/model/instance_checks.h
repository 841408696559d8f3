// What follows from what the registry has found out about an instance: its verdict, and whether it
// gets calls. Pure.
//
//   found, as often in a row as FindingsNeeded() says ──▶ verdict ──service's policy──▶ held back?
//
// What lacks proof is not let in where proof is asked for; what is in goes out only by evidence
// against it: it says that it does not serve, or shows another schema. That the registry cannot
// reach an instance is none, since gateways reach it by ways of their own.
#pragma once

#include <cstddef>
#include <string>

#include "absl/time/time.h"
#include "pinion/registry/v1/registry.pb.h"

namespace pinion::model {

using Verdict = registry::v1::InstanceCheck::Verdict;
using Verification = registry::v1::Service::Verification;

// With the default for one that is not set.
Verification VerificationOf(const registry::v1::Service& service);

// Whether an instance gets no calls, of which `verdict` is known and which `was_held_back` so far.
bool HeldBack(Verification policy, Verdict verdict, bool was_held_back);

// How often in a row `found` must be found until it takes the place of `standing`; 0: never, since
// what an instance itself has said or shown stands until it says or shows something else.
int FindingsNeeded(Verdict standing, Verdict found);

// Until the next check, after `in_a_row` (from 1) that have found the same: soon after something
// new, then ever less often up to `interval`, and up to six times that where nobody answers.
absl::Duration NextCheckIn(Verdict found, int in_a_row, absl::Duration interval);

// Until the next check of one that stands as unreachable and gets calls all the same, where `many`
// are so: together they are asked about a hundred times a second, and each at least every
// `longest`. Nothing hangs on the answer but what people are told.
absl::Duration UnreachableCheckIn(size_t many, absl::Duration longest);

// "ready", "not serving", "not checked".
std::string VerdictText(Verdict verdict);

// Whether an operator should know of an instance that was `before` and is `after` now: it gets no
// calls, or there is something against it that was not known. Not when it is ready, or offers no
// proof where it never has and none is asked for.
bool WorthAWarning(const registry::v1::InstanceCheck& before,
                   const registry::v1::InstanceCheck& after);

}  // namespace pinion::model
