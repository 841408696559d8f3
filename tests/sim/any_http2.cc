#include "tests/sim/any_http2.h"

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace pinion::sim {

using testing::CallBook;
using testing::CallRecord;

void ReadGatewaysError(CallBook::Entry& entry) {
  CallRecord& record = entry.record;
  const std::string* type = testing::FindField(record.headers, "content-type");
  if (entry.plan.grpc || record.end != CallRecord::End::kStatus || type == nullptr ||
      *type != "application/json") {
    return;
  }
  for (int code = 1; code <= 16; ++code) {
    const std::string name = absl::StatusCodeToString(static_cast<absl::StatusCode>(code));
    if (absl::StrContains(record.body, absl::StrCat("\"status\":\"", name, "\""))) {
      record.grpc_status = code;
    }
  }
  record.trailers_only = true;
  record.grpc_message = record.body;
  if (absl::StrContains(record.body, "\"reason\":")) {
    record.trailers.emplace_back("grpc-status-details-bin", absl::Base64Escape(record.body));
  }
}

std::optional<std::string> HttpErrorDiffers(const CallBook::Entry& entry) {
  const CallRecord& record = entry.record;
  const testing::ResponsePlan& response = entry.plan.response;
  if (record.end == CallRecord::End::kStatus && record.http_status == response.http_status &&
      record.body == response.body.bytes) {
    return std::nullopt;
  }
  return absl::StrCat("HTTP ", response.http_status, " did not pass: ", record.http_status, " and ",
                      record.body.size(), " bytes");
}

std::optional<std::string> LateResetDiffers(const CallBook::Entry& entry) {
  if (entry.record.end == CallRecord::End::kReset &&
      entry.record.reset_code == http2::ErrorCode::kInternalError) {
    return std::nullopt;
  }
  return absl::StrCat("a reset after the headers did not become one");
}

}  // namespace pinion::sim
