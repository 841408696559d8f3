#include "gateway/http2/foreign_protocol.h"

#include "absl/strings/match.h"
#include "gateway/http2/frame.h"

namespace pinion::http2 {

Greeting GreetingOf(absl::string_view first_bytes) {
  if (first_bytes == kClientPreface) return Greeting::kHttp2;
  if (absl::StartsWith(kClientPreface, first_bytes)) return Greeting::kUndecided;
  for (const absl::string_view method :
       {"GET ", "POST ", "HEAD ", "PUT ", "DELETE ", "OPTIONS ", "PATCH ", "CONNECT ", "TRACE "}) {
    if (absl::StartsWith(first_bytes, method)) return Greeting::kHttp1;
    if (absl::StartsWith(method, first_bytes)) return Greeting::kUndecided;
  }
  return Greeting::kOther;
}

absl::string_view AnswerToHttp1() {
  return "HTTP/1.1 505 HTTP Version Not Supported\r\n"
         "content-type: text/plain\r\n"
         "content-length: 81\r\n"
         "connection: close\r\n"
         "\r\n"
         "this port speaks HTTP/2 only: call it with gRPC, or curl --http2-prior-knowledge\n";
}

}  // namespace pinion::http2
