#include "gateway/proxy/call_trail.h"

#include <algorithm>

#include "gateway/route/refusal.h"

namespace pinion::proxy {

void CallTrail::Clear() {
  answered_ = absl::InfinitePast();
  http_status_ = 0;
  reset_ = reset_by_ = absl::string_view();
  if (!error_kind_.has_value()) return;
  error_kind_.reset();
  for (std::string* text : {&message_, &service_, &source_, &asked_}) text->clear();
}

void CallTrail::OnAnswer(absl::Time now, const http2::HeaderBlock& headers) {
  answered_ = now;
  // The engine lets three digits pass and nothing else.
  const http2::HeaderField* status = headers.Find(":status");
  http_status_ = 0;
  if (status == nullptr) return;
  for (const char digit : status->value) http_status_ = http_status_ * 10 + (digit - '0');
}

void CallTrail::OnError(const CallError& error) {
  if (error_kind_.has_value()) return;
  error_kind_ = error.refusal.has_value()
                    ? std::min(static_cast<size_t>(error.refusal->reason), kReasonsMax - 1)
                    : kReasonsMax + CodeIndex(static_cast<int>(error.code));
  message_ = error.message;
  if (http_status_ == 0) http_status_ = HttpStatusOf(error);
  if (!error.refusal.has_value()) return;
  for (const auto& [key, value] : error.refusal->metadata) {
    if (key == "service") service_ = value;
    if (key == "source") source_ = value;
    if (key == "asked") asked_ = value;
  }
}

void CallTrail::OnReset(absl::string_view by, http2::ErrorCode code) {
  reset_by_ = by;
  reset_ = http2::ErrorCodeName(code);
}

}  // namespace pinion::proxy
