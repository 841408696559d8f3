#include "gateway/proxy/attempts.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "gateway/limits.h"
#include "gateway/proxy/proxy.h"

namespace pinion::proxy {

using http2::ErrorCode;

void Attempts::Begin(const route::Route& route, uint64_t table_generation) {
  route_ = &route;
  table_generation_ = table_generation;
  request_.KeepForReplay();
  Try();
}

upstream::Cluster& Attempts::cluster() const {
  return proxy_.clusters().For(*route_->version, table_generation_);
}

// Asks an instance that was not tried for a stream.
void Attempts::Try() {
  upstream::Instance* instance = cluster().Pick(tried_);
  if (instance == nullptr) {
    return owner_.OnNoAttempt(
        route::Reason::kNoHealthyInstance,
        absl::StrCat(route_->service->name, " ", route_->version->name,
                     " has no instance that can be reached; start one, or pin another version"));
  }
  tried_.push_back(instance);
  ++count_;
  instance->Acquire(*this);
}

void Attempts::OnConnected(upstream::Connection& connection) {
  const bool empty = request_.ended() && request_.waiting_bytes() == 0 && !request_.has_trailers();
  http2::Stream* stream = connection.Open(owner_.RequestFields(), empty, *this);
  CHECK(stream != nullptr);
  connection_ = &connection;
  stream_ = stream;
  opened_at_ = proxy_.loop().now();
  instance_ = connection.instance().uid();
  address_ = connection.instance().address();
  response_.SetSource({&connection.transport(), stream});
  if (empty) {
    request_.MarkDone();
  } else {
    request_.SetSink({&connection.transport(), stream});
  }
}

void Attempts::OnConnectFailed(upstream::AcquireFailure failure, absl::string_view why) {
  if (failure == upstream::AcquireFailure::kOverload) {
    return owner_.OnNoAttempt(route::Reason::kOverloaded, why);
  }
  if (failure == upstream::AcquireFailure::kConnect &&
      tried_.size() < limits::kConnectAttemptsMax && cluster().Has(tried_)) {
    proxy_.stats().retries.Add();
    return Try();
  }
  owner_.OnNoAttempt(route::Reason::kUpstreamConnectFailed,
                     absl::StrCat("no connection to an instance of ", route_->service->name, " ",
                                  route_->version->name, ": ", why));
}

bool Attempts::RetryUnseen(const http2::Event& event) {
  if (event.error != ErrorCode::kRefusedStream || event.reset_by_us) return false;
  if (retried_unseen_ || !request_.CanReplay()) return false;
  retried_unseen_ = true;
  proxy_.stats().retries.Add();
  Release(ErrorCode::kNoError);
  request_.Rewind();
  if (!cluster().Has(tried_)) tried_.clear();
  Try();
  return true;
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
  Release(code);
  tried_.clear();
  retried_unseen_ = false;
}

void Attempts::ForgetTrail() {
  count_ = 0;
  opened_at_ = absl::InfinitePast();
}

}  // namespace pinion::proxy
