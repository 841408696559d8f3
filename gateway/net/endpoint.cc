#include "gateway/net/endpoint.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace pinion::net {

std::string ToString(const Endpoint& endpoint) {
  if (!endpoint.path.empty()) return absl::StrCat("unix:", endpoint.path);
  if (absl::StrContains(endpoint.host, ':')) {
    return absl::StrCat("[", endpoint.host, "]:", endpoint.port);
  }
  return absl::StrCat(endpoint.host, ":", endpoint.port);
}

}  // namespace pinion::net
