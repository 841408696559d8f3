// When a call of a service may be tried again (gRFC A6). Compiled from routing.v1.RetryPolicy,
// immutable, shared by all versions of the service.
#pragma once

#include <cstdint>
#include <memory>

#include "absl/time/time.h"
#include "pinion/routing/v1/routing.pb.h"

namespace pinion::route {

struct RetryPolicy {
  int attempts_max = 1;  // the first one included
  absl::Duration initial_backoff;
  absl::Duration max_backoff;  // not below initial_backoff
  double backoff_multiplier = 1;
  uint32_t retryable = 0;  // bit n: grpc-status n

  bool Retries(int grpc_status) const {
    return grpc_status > 0 && grpc_status < 32 && (retryable >> grpc_status & 1) != 0;
  }

  // How long to wait before the `retry`th retry, counted from 1; without jitter.
  absl::Duration Backoff(int retry) const;
};

// Null: the policy allows no retry. What is out of its range counts as the nearest value in it: a
// registry newer than this gateway may allow more.
std::shared_ptr<const RetryPolicy> CompileRetryPolicy(const routing::v1::RetryPolicy& policy);

}  // namespace pinion::route
