#include "gateway/route/retry_policy.h"

#include <algorithm>

#include "base/proto_duration.h"
#include "gateway/upstream_limits.h"

namespace pinion::route {
namespace {

absl::Duration DurationOf(bool present, const google::protobuf::Duration& duration,
                          absl::Duration otherwise) {
  return present ? std::max(FromProto(duration), absl::ZeroDuration()) : otherwise;
}

}  // namespace

absl::Duration RetryPolicy::Backoff(int retry) const {
  absl::Duration backoff = initial_backoff;
  for (int i = 1; i < retry && backoff < max_backoff; ++i) backoff *= backoff_multiplier;
  return std::min(backoff, max_backoff);
}

std::shared_ptr<const RetryPolicy> CompileRetryPolicy(const routing::v1::RetryPolicy& policy) {
  if (policy.max_attempts() < 2) return nullptr;
  auto compiled = std::make_shared<RetryPolicy>();
  compiled->attempts_max =
      static_cast<int>(std::min<uint32_t>(policy.max_attempts(), limits::kRetryAttemptsMax));
  compiled->initial_backoff =
      DurationOf(policy.has_initial_backoff(), policy.initial_backoff(), limits::kRetryBackoffMin);
  compiled->max_backoff = std::max(
      compiled->initial_backoff,
      DurationOf(policy.has_max_backoff(), policy.max_backoff(), limits::kRetryBackoffMax));
  compiled->backoff_multiplier = policy.backoff_multiplier() >= 1 ? policy.backoff_multiplier() : 2;
  for (int code : policy.retryable_status_codes()) {
    if (code > 0 && code <= routing::v1::RetryPolicy::Code_MAX) compiled->retryable |= 1u << code;
  }
  if (policy.retryable_status_codes().empty()) {
    compiled->retryable = 1u << routing::v1::RetryPolicy::UNAVAILABLE;
  }
  return compiled;
}

}  // namespace pinion::route
