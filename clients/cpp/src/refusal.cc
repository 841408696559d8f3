// Reads google.rpc.ErrorInfo and Help.
#include "pinion/client/refusal.h"

#include <algorithm>

#include "details.pb.h"

namespace pinion::client {
namespace {

constexpr char kDomain[] = "pinion";

bool Is(const google::protobuf::Any& detail, const std::string& name) {
  return detail.type_url().ends_with("/" + name);
}

std::vector<std::string> Split(const std::string& list) {
  std::vector<std::string> parts;
  for (size_t from = 0; from < list.size();) {
    const size_t end = std::min(list.find(", ", from), list.size());
    parts.push_back(list.substr(from, end - from));
    from = end + 2;
  }
  return parts;
}

std::string Of(const details::ErrorInfo& info, const std::string& name) {
  const auto it = info.metadata().find(name);
  return it == info.metadata().end() ? "" : it->second;
}

}  // namespace

std::optional<Refusal> ReadRefusal(const grpc::Status& status) {
  details::Status said;
  if (status.error_details().empty() || !said.ParseFromString(status.error_details())) {
    return std::nullopt;
  }
  details::ErrorInfo info;
  details::Help help;
  for (const google::protobuf::Any& detail : said.details()) {
    if (Is(detail, "google.rpc.ErrorInfo")) info.ParseFromString(detail.value());
    if (Is(detail, "google.rpc.Help")) help.ParseFromString(detail.value());
  }
  if (info.domain() != kDomain) return std::nullopt;
  Refusal refusal;
  refusal.reason = info.reason();
  refusal.service = Of(info, "service");
  refusal.version = Of(info, "version");
  refusal.consumer = Of(info, "consumer");
  refusal.asked = Of(info, "asked");
  refusal.source = Of(info, "source");
  refusal.available = Split(Of(info, "available"));
  refusal.successor = Of(info, "successor");
  refusal.help = help.links_size() > 0 ? help.links(0).url() : "";
  refusal.variables.insert(info.metadata().begin(), info.metadata().end());
  return refusal;
}

}  // namespace pinion::client
