// What a call leaves behind for the access log and the metrics, noted while it runs. Part of a
// Call; the worker's thread. Notes cost no allocation but for what only failures have.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gateway/http2/header_block.h"
#include "gateway/http2/types.h"
#include "gateway/proxy/call_stats.h"
#include "gateway/proxy/errors.h"

namespace pinion::proxy {

class CallTrail {
 public:
  // For the next call.
  void Clear();

  // The first header block of the instance's answer, but for 1xx.
  void OnAnswer(absl::Time now, const http2::HeaderBlock& headers);
  // The gateway ends the call itself. The first error is the one that counts.
  void OnError(const CallError& error);
  // The call ends with RST_STREAM. `by` lives for ever: "caller", "connection", "instance",
  // "gateway".
  void OnReset(absl::string_view by, http2::ErrorCode code);

  absl::Time answered() const { return answered_; }
  // The instance's HTTP status, or that of the gateway's own error when it came first; 0: neither.
  int http_status() const { return http_status_; }
  // Why the gateway ended the call itself, a number of ErrorKindName(); nullopt: it did not.
  std::optional<size_t> error_kind() const {
    return failure_ == nullptr ? std::nullopt : std::optional<size_t>(failure_->kind);
  }
  absl::string_view error() const {
    return failure_ == nullptr ? absl::string_view() : ErrorKindName(failure_->kind);
  }
  absl::string_view message() const { return Of(&Failure::message); }
  // Of a refusal: the variables that the call's own route does not tell.
  absl::string_view service() const { return Of(&Failure::service); }
  absl::string_view source() const { return Of(&Failure::source); }
  absl::string_view asked() const { return Of(&Failure::asked); }
  absl::string_view reset() const { return reset_; }
  absl::string_view reset_by() const { return reset_by_; }

 private:
  struct Failure {
    size_t kind;
    std::string message;
    std::string service;
    std::string source;
    std::string asked;
  };

  absl::string_view Of(std::string Failure::*text) const {
    return failure_ == nullptr ? absl::string_view() : *failure_.*text;
  }

  absl::Time answered_ = absl::InfinitePast();
  int http_status_ = 0;
  std::unique_ptr<Failure> failure_;
  absl::string_view reset_;
  absl::string_view reset_by_;
};

}  // namespace pinion::proxy
