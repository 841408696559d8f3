#include "gateway/proxy/foreign_answer.h"

#include <utility>

#include "base/check.h"
#include "gateway/limits.h"

namespace pinion::proxy {

void ForeignAnswer::Begin(CallError error, absl::Time now) {
  CHECK(!active());
  error_ = std::make_unique<CallError>(std::move(error));
  bytes_ = 0;
  until_ = now + limits::kForeignAnswerMax;
}

ForeignAnswer::Progress ForeignAnswer::OnEvent(const http2::Event& event, http2::Session& session) {
  switch (event.type) {
    case http2::EventType::kData:
      bytes_ += event.data.size();
      session.Consume(*event.stream, event.data.size());
      if (event.end_stream) return Progress::kWhole;
      return bytes_ > limits::kForeignAnswerBytesMax ? Progress::kCut : Progress::kReading;
    case http2::EventType::kTrailers:
      return Progress::kWhole;
    case http2::EventType::kReset:
      return Progress::kCut;
    default:
      return Progress::kReading;
  }
}

CallError ForeignAnswer::Take() {
  CHECK(active());
  until_ = absl::InfiniteFuture();
  return std::move(*std::exchange(error_, nullptr));
}

void ForeignAnswer::Reset() {
  error_.reset();
  until_ = absl::InfiniteFuture();
}

}  // namespace pinion::proxy
