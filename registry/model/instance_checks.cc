#include "registry/model/instance_checks.h"

#include <algorithm>

namespace pinion::model {
namespace {

using registry::v1::InstanceCheck;
using registry::v1::Service;

constexpr absl::Duration kFirstRecheck = absl::Seconds(1);
constexpr int kDoublings = 12;
// Nobody who is away for long is asked as often as those who serve.
constexpr int kUnreachableFactor = 6;

}  // namespace

Verification VerificationOf(const Service& service) {
  return service.verification() == Service::VERIFICATION_UNSPECIFIED ? Service::WARN
                                                                     : service.verification();
}

bool HeldBack(Verification policy, Verdict verdict, bool was_held_back) {
  if (policy == Service::OFF) return false;
  if (verdict == InstanceCheck::NOT_SERVING) return true;
  if (policy != Service::ENFORCE || verdict == InstanceCheck::READY) return false;
  return was_held_back || verdict == InstanceCheck::DRIFTED;
}

int FindingsNeeded(Verdict standing, Verdict found) {
  const bool known = standing != InstanceCheck::VERDICT_UNSPECIFIED;
  switch (found) {
    case InstanceCheck::UNREACHABLE:
      if (standing == InstanceCheck::NOT_SERVING || standing == InstanceCheck::DRIFTED) return 0;
      return 3;
    case InstanceCheck::NOT_SERVING:
    case InstanceCheck::DRIFTED:
    case InstanceCheck::UNPROVEN:
      return known ? 2 : 1;
    case InstanceCheck::READY:
      // One that goes to and fro is not followed each time.
      return standing == InstanceCheck::NOT_SERVING ? 2 : 1;
    default:
      return 1;
  }
}

absl::Duration NextCheckIn(Verdict found, int in_a_row, absl::Duration interval) {
  const absl::Duration longest =
      found == InstanceCheck::UNREACHABLE ? interval * kUnreachableFactor : interval;
  const int doublings = std::min(in_a_row - 1, kDoublings);
  return std::min(std::min(kFirstRecheck, interval) * (1 << doublings), longest);
}

}  // namespace pinion::model
