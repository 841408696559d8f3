#include "base/error_info.h"

#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"

namespace pinion {

ErrorInfo ErrorInfoIn(const std::string& details) {
  google::rpc::Status status;
  if (!status.ParseFromString(details)) return {};
  for (const google::protobuf::Any& any : status.details()) {
    google::rpc::ErrorInfo info;
    if (!any.UnpackTo(&info)) continue;
    return {.reason = info.reason(),
            .domain = info.domain(),
            .metadata = {info.metadata().begin(), info.metadata().end()}};
  }
  return {};
}

}  // namespace pinion
