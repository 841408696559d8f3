// Which retries one worker may make towards one version, so that a version in trouble does not get
// more calls just because it fails them: a share of what runs (Envoy's retry budget), and a
// throttle on how many fail (gRFC A6). Owned by a Cluster and the calls that retry; the worker's
// thread.
#pragma once

#include <cstddef>

#include "gateway/upstream_limits.h"

namespace pinion::upstream {

class RetryBudget {
 public:
  // `min` retries at the same time are always within the share.
  RetryBudget(size_t min, size_t percent) : min_(min), percent_(percent) {}

  // True: one more call is being retried, until Return(). `calls`: all that run or wait.
  bool Take(size_t calls);
  void Return() { --running_; }

  void CountSuccess();
  // An attempt failed with a status that the policy retries, or the server forbade a retry.
  void CountFailure();
  bool throttled() const { return tokens_ <= limits::kRetryTokens / 2; }

 private:
  const size_t min_;
  const size_t percent_;
  size_t running_ = 0;
  double tokens_ = limits::kRetryTokens;
};

}  // namespace pinion::upstream
