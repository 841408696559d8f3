#include "gateway/upstream/retry_budget.h"

#include <algorithm>

#include "gateway/upstream_limits.h"

namespace pinion::upstream {

bool RetryBudget::Take(size_t calls) {
  if (throttled() || running_ >= std::max(min_, calls * percent_ / 100)) return false;
  ++running_;
  return true;
}

void RetryBudget::CountSuccess() {
  tokens_ = std::min(tokens_ + limits::kRetryTokensPerSuccess, limits::kRetryTokens);
}

void RetryBudget::CountFailure() { tokens_ = std::max(tokens_ - 1, 0.0); }

}  // namespace pinion::upstream
