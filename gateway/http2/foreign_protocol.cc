#include "gateway/http2/foreign_protocol.h"

#include "absl/strings/match.h"

namespace pinion::http2 {
namespace {

constexpr absl::string_view kAnswer =
    "HTTP/1.1 505 HTTP Version Not Supported\r\n"
    "content-type: text/plain\r\n"
    "content-length: 81\r\n"
    "connection: close\r\n"
    "\r\n"
    "this port speaks HTTP/2 only: call it with gRPC, or curl --http2-prior-knowledge\n";

}  // namespace

absl::string_view AnswerToForeign(absl::string_view first_bytes) {
  for (absl::string_view method : {"GET ", "POST ", "HEAD ", "PUT ", "DELETE ", "OPTIONS ",
                                   "PATCH ", "CONNECT ", "TRACE "}) {
    if (absl::StartsWith(first_bytes, method)) return kAnswer;
  }
  return {};
}

}  // namespace pinion::http2
