// The answer of an instance as the proxy needs it, and what of it goes on to the caller. Pure;
// views into the header block.
#pragma once

#include <vector>

#include "absl/strings/string_view.h"
#include "gateway/http2/header_block.h"
#include "gateway/route/entries.h"

namespace pinion::proxy {

struct ResponseHead {
  absl::string_view status;
  absl::string_view content_type;
  bool has_grpc_status = false;
};

ResponseHead ReadResponse(const http2::HeaderBlock& headers);

// grpc-status as a number, -1 when there is none, 2 (UNKNOWN) when it is not a number.
int GrpcStatusOf(const http2::HeaderBlock& block);

// The fields that go on, in order, and what Pinion says of the version: its name under
// `version_header`, and for a deprecated one `deprecation` (RFC 9745), `sunset` (RFC 8594) and
// `link`.
void AddDownstreamFields(const http2::HeaderBlock& headers, const route::VersionEntry& version,
                         absl::string_view version_header, std::vector<http2::HeaderField>& out);

}  // namespace pinion::proxy
