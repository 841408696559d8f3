// An answer that is not gRPC, mostly the error page of something between the gateway and the
// server: read to its end and dropped, then told to the caller as a gRPC status. A reset in its
// middle would be as good for the caller; but to whoever counts resets, a series of error pages
// would look like Rapid Reset. Part of a Call; the worker's thread.
#pragma once

#include <cstddef>
#include <memory>

#include "absl/time/time.h"
#include "gateway/http2/session.h"
#include "gateway/proxy/errors.h"

namespace pinion::proxy {

class ForeignAnswer {
 public:
  enum class Progress : unsigned char {
    kReading,
    kWhole,  // END_STREAM has come
    kCut,    // reset, or longer than limits::kForeignAnswerBytesMax
  };

  // Headers that mean `error` have come, and more will. REQUIRES: !active().
  void Begin(CallError error, absl::Time now);

  bool active() const { return error_ != nullptr; }

  // When to give up waiting for its end; InfiniteFuture while there is none.
  absl::Time until() const { return until_; }

  // What follows of it; DATA is given back to the session's windows.
  Progress OnEvent(const http2::Event& event, http2::Session& session);

  // What it means to the caller; active no more. REQUIRES: active().
  CallError Take();

  // For the next call.
  void Reset();

 private:
  std::unique_ptr<CallError> error_;
  size_t bytes_ = 0;
  absl::Time until_ = absl::InfiniteFuture();
};

}  // namespace pinion::proxy
