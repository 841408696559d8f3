// What an answer of etcd means: whether a change happened, whether to ask again, and what to tell
// people. Pure.
#pragma once

#include <grpcpp/support/status.h>

#include <string>

#include "absl/status/status.h"

namespace pinion::store {

enum class EtcdFate {
  kDone,        // carried out
  kRefused,     // not carried out, and asking again would not help
  kNotDone,     // not carried out; another time, or another member, may
  kStaleToken,  // not carried out: authenticate again
  kUnknown,     // carried out, or not, or it will be yet
};

struct EtcdVerdict {
  EtcdFate fate = EtcdFate::kDone;
  // For callers of the store: as store.h promises, and Unavailable for what may pass.
  absl::Status status;
};

// `endpoint` is who said it.
EtcdVerdict JudgeEtcd(const grpc::Status& status, const std::string& endpoint);

// Whether a connection does not come about because of certificates: waiting mends none.
bool IsTlsError(const absl::Status& status);

}  // namespace pinion::store
