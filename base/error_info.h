// The machine-readable reason of a gRPC error (google.rpc.ErrorInfo), as clients find it. Pure.
#pragma once

#include <map>
#include <string>

namespace pinion {

struct ErrorInfo {
  std::string reason;  // "REVISION_AHEAD"; empty: the error has none
  std::string domain;
  std::map<std::string, std::string> metadata;
};

// `details`: a serialised google.rpc.Status, as grpc-status-details-bin has it; whatever it holds.
ErrorInfo ErrorInfoIn(const std::string& details);

}  // namespace pinion
