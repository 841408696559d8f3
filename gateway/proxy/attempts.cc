#include "gateway/proxy/attempts.h"

#include <algorithm>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "gateway/proxy/proxy.h"
#include "gateway/upstream_limits.h"

namespace pinion::proxy {

using http2::ErrorCode;
using upstream::AcquireFailure;

Attempts::Attempts(Proxy& proxy, Owner& owner, BodyPipe& request, BodyPipe& response)
    : proxy_(proxy),
      owner_(owner),
      request_(request),
      response_(response),
      backoff_(
          proxy.loop().timers(), [](void* self) { static_cast<Attempts*>(self)->TryAnywhere(); },
          this) {}

void Attempts::Begin(const route::Route& route, uint64_t table_generation, absl::Time deadline,
                     bool grpc) {
  route_ = &route;
  table_generation_ = table_generation;
  deadline_ = deadline;
  policy_ = grpc ? route.version->retry.get() : nullptr;
  pending_until_ = proxy_.loop().now() + proxy_.clusters().options().pending_max;
  request_.KeepForReplay(policy_ == nullptr ? limits::kReplayBytesMax
                                            : limits::kRetryReplayBytesMax);
  Try();
}

upstream::Cluster& Attempts::cluster() const {
  return proxy_.clusters().For(*route_->version, table_generation_);
}

// Asks an instance that was not tried for a stream.
void Attempts::Try() {
  upstream::Instance* instance = cluster().Pick(tried_);
  if (instance == nullptr) {
    return GiveUp(
        route::Reason::kNoHealthyInstance,
        absl::StrCat(route_->service->name, " ", route_->version->name,
                     " has no instance that can be reached; start one, or pin another version"));
  }
  tried_.push_back(instance);
  ++count_;
  instance->Acquire(*this, pending_until_);
}

// The same when all were tried: then each may be tried again.
void Attempts::TryAnywhere() {
  proxy_.RefreshClusters();
  pending_until_ = proxy_.loop().now() + proxy_.clusters().options().pending_max;
  if (!cluster().Has(tried_)) tried_.clear();
  Try();
}

void Attempts::OnConnected(upstream::Connection& connection) {
  const bool empty = request_.ended() && request_.waiting_bytes() == 0 && !request_.has_trailers();
  const absl::Span<const http2::HeaderField> fields = owner_.RequestFields(sent_before_);
  if (!Fits(fields, connection) || !Fits(request_.trailers(), connection)) return;
  http2::Stream* stream = connection.Open(fields, empty, *this);
  CHECK(stream != nullptr);
  connection_ = &connection;
  stream_ = stream;
  opened_at_ = proxy_.loop().now();
  instance_ = connection.instance().name();
  response_.SetSource({&connection.transport(), stream});
  if (empty) {
    request_.MarkDone();
  } else {
    request_.SetSink({&connection.transport(), stream});
  }
}

// Servers may answer a larger one with the end of the connection, and of everybody's calls on it.
bool Attempts::Fits(absl::Span<const http2::HeaderField> fields, upstream::Connection& connection) {
  const size_t bytes = http2::ListBytes(fields);
  if (bytes <= connection.header_list_bytes_max()) return true;
  connection.instance().CountLimit(http2::Limit::kHeaderList);
  owner_.OnTooLarge(absl::StrCat(
      "the call's metadata has ", bytes, " bytes, counting 32 for each field, and the instance at ",
      connection.instance().name()->address, " takes ", connection.header_list_bytes_max(),
      ": send less, or raise the limit there"));
  return false;
}

void Attempts::OnConnectFailed(AcquireFailure failure, absl::string_view why) {
  if (failure == AcquireFailure::kOverload) {
    proxy_.stats().overloads.Add();
    return owner_.OnNoAttempt(route::Reason::kOverloaded, why);
  }
  const bool may_go_on =
      tried_.size() < limits::kConnectAttemptsMax && proxy_.loop().now() < pending_until_;
  const bool barred = failure == AcquireFailure::kBarred;
  if (barred && !(may_go_on && cluster().HasAvailable(tried_))) return tried_.back()->Wait(*this);
  if (barred || (failure == AcquireFailure::kConnect && may_go_on && cluster().Has(tried_))) {
    proxy_.stats().retries.Add();
    return Try();
  }
  GiveUp(route::Reason::kUpstreamConnectFailed,
         absl::StrCat("no connection to an instance of ", route_->service->name, " ",
                      route_->version->name, ": ", why));
}

void Attempts::GiveUp(route::Reason reason, absl::string_view message) {
  if (RetryFailed(static_cast<int>(absl::StatusCode::kUnavailable), nullptr)) return;
  owner_.OnNoAttempt(reason, message);
}

bool Attempts::RetryUnseen(const http2::Event& event) {
  if (event.error != ErrorCode::kRefusedStream || event.reset_by_us) return false;
  if (retried_unseen_ || !request_.CanReplay()) return false;
  retried_unseen_ = true;
  StartOver();
  TryAnywhere();
  return true;
}

bool Attempts::RetryFailed(int grpc_status, const http2::HeaderField* pushback) {
  if (policy_ == nullptr || !policy_->Retries(grpc_status)) return false;
  upstream::Cluster& version = cluster();
  version.retries()->CountFailure();
  if (retries_ + 1 >= policy_->attempts_max || !request_.CanReplay()) return false;
  const std::optional<absl::Duration> backoff = Backoff(pushback);
  const absl::Time at = proxy_.loop().now() + backoff.value_or(absl::InfiniteDuration());
  // What the attempt said is worth more to the caller than a deadline that passes while waiting.
  if (at == absl::InfiniteFuture() || at >= deadline_) return false;
  if (budget_ == nullptr) {
    if (!version.retries()->Take(version.load().calls + version.load().pending)) {
      proxy_.stats().retries_denied.Add();
      return false;
    }
    budget_ = version.retries();
  }
  ++retries_;
  if (stream_ != nullptr) ++sent_before_;
  StartOver();
  backoff_.Arm(at);
  return true;
}

// gRFC A6: grpc-retry-pushback-ms is the time to wait; one that is negative or no number forbids a
// retry. After one the backoff begins anew.
std::optional<absl::Duration> Attempts::Backoff(const http2::HeaderField* pushback) {
  if (pushback != nullptr) {
    int64_t milliseconds = 0;
    if (!absl::SimpleAtoi(pushback->value, &milliseconds) || milliseconds < 0) return std::nullopt;
    const absl::Duration asked = absl::Milliseconds(milliseconds);
    if (asked > limits::kRetryPushbackMax) return std::nullopt;
    backoffs_ = 0;
    return asked;
  }
  constexpr uint64_t kSteps = 1 << 20;
  const double share =
      static_cast<double>(proxy_.clusters().random().Below(kSteps + 1)) / kSteps;  // 0..1
  return policy_->Backoff(++backoffs_) * (1 + limits::kRetryJitter * (2 * share - 1));
}

void Attempts::CountAnswer(int grpc_status) {
  if (policy_ == nullptr) return;
  if (grpc_status == 0) cluster().retries()->CountSuccess();
  if (policy_->Retries(grpc_status)) cluster().retries()->CountFailure();
}

void Attempts::Report(bool failed) {
  if (stream_ == nullptr) return;
  if (failed && connection_->transport().session().failed() && !connection_->TakeLoss()) return;
  cluster().Report(*tried_.back(), failed);
}

void Attempts::StartOver() {
  proxy_.stats().retries.Add();
  Release(ErrorCode::kCancel);
  request_.Rewind();
}

void Attempts::Release(ErrorCode code) {
  if (stream_ == nullptr) return;
  request_.ClearSink();
  response_.SetSource({});
  upstream::Connection* connection = std::exchange(connection_, nullptr);
  connection->Release(*std::exchange(stream_, nullptr), code);
}

void Attempts::End(ErrorCode code) {
  upstream::Instance::Abandon(*this);
  backoff_.Cancel();
  Release(code);
  tried_.clear();
  retried_unseen_ = false;
  retries_ = sent_before_ = backoffs_ = 0;
  if (budget_ != nullptr) std::exchange(budget_, nullptr)->Return();
}

void Attempts::ForgetTrail() {
  count_ = 0;
  opened_at_ = absl::InfinitePast();
}

}  // namespace pinion::proxy
