#include "gateway/net/endpoint.h"

#include "absl/strings/str_cat.h"
#include "base/address.h"

namespace pinion::net {

std::string ToString(const Endpoint& endpoint) {
  if (!endpoint.path.empty()) return absl::StrCat("unix:", endpoint.path);
  return AddressText(endpoint.host, endpoint.port);
}

}  // namespace pinion::net
