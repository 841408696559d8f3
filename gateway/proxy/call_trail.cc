#include "gateway/proxy/call_trail.h"

#include <algorithm>

#include "gateway/route/refusal.h"

namespace pinion::proxy {

void CallTrail::Clear() {
  answered_ = absl::InfinitePast();
  http_status_ = 0;
  reset_ = reset_by_ = absl::string_view();
  failure_.reset();
}

void CallTrail::OnAnswer(absl::Time now, const http2::HeaderBlock& headers) {
  answered_ = now;
  // The engine lets three digits pass and nothing else.
  const http2::HeaderField* status = headers.Find(http2::HeaderName::kStatus);
  http_status_ = 0;
  if (status == nullptr) return;
  for (const char digit : status->value) http_status_ = http_status_ * 10 + (digit - '0');
}

void CallTrail::OnError(const CallError& error) {
  if (failure_ != nullptr) return;
  failure_ = std::make_unique<Failure>();
  failure_->kind = error.refusal.has_value()
                       ? std::min(static_cast<size_t>(error.refusal->reason), kReasonsMax - 1)
                       : kReasonsMax + CodeIndex(static_cast<int>(error.code));
  failure_->message = error.message;
  if (http_status_ == 0) http_status_ = HttpStatusOf(error);
  if (!error.refusal.has_value()) return;
  for (const auto& [key, value] : error.refusal->metadata) {
    if (key == "service") failure_->service = value;
    if (key == "source") failure_->source = value;
    if (key == "asked") failure_->asked = value;
  }
}

void CallTrail::OnReset(absl::string_view by, http2::ErrorCode code) {
  reset_by_ = by;
  reset_ = http2::ErrorCodeName(code);
}

}  // namespace pinion::proxy
