#include "gateway/proxy/request.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace pinion::proxy {
namespace {

void SetOnce(absl::string_view value, std::optional<absl::string_view>& place, bool& repeated) {
  repeated = repeated || place.has_value();
  place = value;
}

}  // namespace

bool IsGrpcContentType(absl::string_view content_type) {
  constexpr absl::string_view kGrpc = "application/grpc";
  if (!absl::StartsWith(content_type, kGrpc)) return false;
  return content_type.size() == kGrpc.size() || content_type[kGrpc.size()] == '+' ||
         content_type[kGrpc.size()] == ';';
}

RequestHead ReadRequest(const http2::HeaderBlock& block, const ListenerOptions& listener,
                        const Options& options) {
  RequestHead head;
  for (const http2::HeaderField& field : block.fields()) {
    if (field.name == ":method") {
      head.method = field.value;
    } else if (field.name == ":path") {
      head.path = field.value;
    } else if (field.name == "content-type") {
      head.content_type = field.value;
    } else if (field.name == "grpc-timeout") {
      head.timeout_repeated = head.has_timeout;
      head.has_timeout = true;
      head.timeout = field.value;
    } else if (field.name == "traceparent") {
      SetOnce(field.value, head.traceparent, head.traceparent_repeated);
    } else if (field.name == options.version_header) {
      SetOnce(field.value, head.version, head.version_repeated);
    } else if (!listener.identity_header.empty() && field.name == listener.identity_header) {
      SetOnce(field.value, head.identity, head.identity_repeated);
    }
  }
  head.grpc = IsGrpcContentType(head.content_type);
  return head;
}

void AddUpstreamFields(const http2::HeaderBlock& block, const ListenerOptions& listener,
                       const Options& options, bool trusted, bool grpc, absl::string_view timeout,
                       std::vector<http2::HeaderField>& out) {
  bool te = !grpc;
  bool timeout_added = timeout.empty();
  for (const http2::HeaderField& field : block.fields()) {
    if (field.name == options.version_header) continue;
    if (!trusted && !listener.identity_header.empty() && field.name == listener.identity_header) {
      continue;
    }
    te = te || field.name == "te";
    out.push_back(field);
    if (!timeout_added && field.name == "grpc-timeout") {
      out.back().value = timeout;
      timeout_added = true;
    }
  }
  if (!te) out.push_back({"te", "trailers"});
  if (!timeout_added) out.push_back({"grpc-timeout", timeout});
}

std::string SetPreviousAttempts(int more, std::vector<http2::HeaderField>& fields) {
  constexpr int kBelievedMax = 1'000'000;
  int before = 0;
  const auto own = [&](const http2::HeaderField& field) {
    if (field.name != kPreviousAttempts) return false;
    int value = 0;
    if (absl::SimpleAtoi(field.value, &value)) before = std::clamp(value, 0, kBelievedMax);
    return true;
  };
  fields.erase(std::remove_if(fields.begin(), fields.end(), own), fields.end());
  return absl::StrCat(before + more);
}

}  // namespace pinion::proxy
