#include "registry/model/status_details.h"

#include <algorithm>

#include "absl/strings/cord.h"
#include "google/rpc/status.pb.h"

namespace pinion::model {

std::string StatusDetails(const absl::Status& status) {
  google::rpc::Status details;
  details.set_code(static_cast<int>(status.code()));
  details.set_message(std::string(status.message()));
  status.ForEachPayload([&details](absl::string_view url, const absl::Cord& payload) {
    google::protobuf::Any* detail = details.add_details();
    detail->set_type_url(std::string(url));
    detail->set_value(std::string(payload));
  });
  // A status gives its payloads in an order that nobody knows; readers and tests want one.
  std::sort(details.mutable_details()->begin(), details.mutable_details()->end(),
            [](const google::protobuf::Any& a, const google::protobuf::Any& b) {
              return a.type_url() < b.type_url();
            });
  return details.SerializeAsString();
}

}  // namespace pinion::model
