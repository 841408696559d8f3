#include "gateway/proxy/admission.h"

#include <algorithm>

#include "gateway/proxy/grpc_timeout.h"

namespace pinion::proxy {

std::optional<CallError> ProtocolFault(const RequestHead& head) {
  if (!head.grpc) {
    CallError error(absl::StatusCode::kInvalidArgument,
                    "only gRPC is taken here: a content-type of application/grpc, or that "
                    "followed by '+' or ';'");
    error.http_status = 415;
    return error;
  }
  if (head.method != "POST") {
    return CallError(absl::StatusCode::kInternal, "a gRPC request is a POST");
  }
  return std::nullopt;
}

Deadline ReadDeadline(const RequestHead& head, absl::Time started,
                      std::optional<absl::Duration> longest) {
  Deadline deadline;
  if (head.has_timeout) {
    const auto timeout = ParseGrpcTimeout(head.timeout);
    if (!timeout.has_value() || head.timeout_repeated) {
      deadline.fault.emplace(
          absl::StatusCode::kInvalidArgument,
          "grpc-timeout is malformed: write up to eight digits and one of H, M, S, m, u, n");
      return deadline;
    }
    deadline.at = started + *timeout;
  }
  if (longest.has_value()) deadline.at = std::min(deadline.at, started + *longest);
  if (deadline.at <= started) {
    deadline.fault.emplace(absl::StatusCode::kDeadlineExceeded,
                           "the deadline had passed when the call arrived");
  }
  return deadline;
}

CallError DeadlinePassed() {
  return CallError(absl::StatusCode::kDeadlineExceeded,
                   "the deadline passed before the answer was complete");
}

CallError OutOfMemory() {
  return CallError(route::MakeRefusal(
      route::Reason::kOverloaded,
      "the gateway has used up its memory_budget_bytes; call again later, or another gateway"));
}

}  // namespace pinion::proxy
