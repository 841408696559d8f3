#include "registry/model/instance_checks.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_replace.h"

namespace pinion::model {
namespace {

using registry::v1::InstanceCheck;
using registry::v1::Service;

constexpr absl::Duration kFirstRecheck = absl::Seconds(1);
constexpr int kDoublings = 12;
// Nobody who is away for long is asked as often as those who serve.
constexpr int kUnreachableFactor = 6;
// Each attempt to connect costs about a millisecond of processor.
constexpr absl::Duration kBetweenUnreachable = absl::Milliseconds(10);

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

absl::Duration UnreachableCheckIn(size_t many, absl::Duration longest) {
  return std::min(static_cast<int64_t>(many) * kBetweenUnreachable, longest);
}

std::string VerdictText(Verdict verdict) {
  if (verdict == InstanceCheck::VERDICT_UNSPECIFIED) return "not checked";
  return absl::StrReplaceAll(absl::AsciiStrToLower(InstanceCheck::Verdict_Name(verdict)),
                             {{"_", " "}});
}

bool WorthAWarning(const InstanceCheck& before, const InstanceCheck& after) {
  if (after.held_back()) return true;
  switch (after.verdict()) {
    case InstanceCheck::DRIFTED:
    case InstanceCheck::NOT_SERVING:
    case InstanceCheck::UNREACHABLE:
      return true;
    case InstanceCheck::UNPROVEN:
      return before.verdict() == InstanceCheck::READY;
    default:
      return false;
  }
}

}  // namespace pinion::model
