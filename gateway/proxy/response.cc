#include "gateway/proxy/response.h"

#include "absl/strings/numbers.h"

namespace pinion::proxy {

using http2::HeaderName;

ResponseHead ReadResponse(const http2::HeaderBlock& headers) {
  ResponseHead head;
  for (const http2::HeaderField& field : headers.fields()) {
    switch (field.Name()) {
      case HeaderName::kStatus:
        head.status = field.value;
        break;
      case HeaderName::kContentType:
        head.content_type = field.value;
        break;
      case HeaderName::kGrpcStatus:
        head.has_grpc_status = true;
        break;
      default:
        break;
    }
  }
  return head;
}

int GrpcStatusOf(const http2::HeaderBlock& block) {
  const http2::HeaderField* field = block.Find(HeaderName::kGrpcStatus);
  if (field == nullptr) return -1;
  int status = 0;
  return absl::SimpleAtoi(field->value, &status) && status >= 0 ? status : 2;
}

namespace {

// What is said of a deprecated version, by us alone: two of these would mean nothing.
bool IsOurs(absl::string_view name, const route::VersionEntry& version) {
  return name == "deprecation" || (name == "sunset" && !version.sunset_header.empty());
}

}  // namespace

void AddDownstreamFields(const http2::HeaderBlock& headers, const route::VersionEntry& version,
                         absl::string_view version_header, std::vector<http2::HeaderField>& out) {
  const bool deprecated = !version.deprecation_header.empty();
  for (const http2::HeaderField& field : headers.fields()) {
    // An instance behind another gateway says a version too; the one that was asked for here is
    // ours.
    if (field.name == version_header) continue;
    if (deprecated && IsOurs(field.name, version)) continue;
    out.push_back(field);
  }
  out.push_back({version_header, version.name});
  if (deprecated) out.push_back({"deprecation", version.deprecation_header});
  if (!version.sunset_header.empty()) out.push_back({"sunset", version.sunset_header});
  if (!version.link_header.empty()) out.push_back({"link", version.link_header});
}

}  // namespace pinion::proxy
