#include "registry/service/grpc_status.h"

#include <string>

#include "registry/model/status_details.h"

namespace pinion::service {

grpc::Status ToGrpc(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  return grpc::Status(static_cast<grpc::StatusCode>(status.code()), std::string(status.message()),
                      model::StatusDetails(status));
}

}  // namespace pinion::service
