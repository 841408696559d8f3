#include "gateway/upstream/instance.h"

#include <algorithm>
#include <utility>

#include "absl/container/inlined_vector.h"
#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "gateway/net/resolver.h"
#include "gateway/upstream_limits.h"

namespace pinion::upstream {

Instance::Instance(transport::Shared& shared, const Options& options, Load& version,
                   std::string service, std::string uid, net::Endpoint endpoint,
                   std::string tls_name, uint32_t weight)
    : shared_(shared),
      options_(options),
      version_(version),
      loop_(shared.loop),
      service_(std::move(service)),
      endpoint_(std::move(endpoint)),
      name_(
          std::make_shared<const InstanceName>(InstanceName{std::move(uid), ToString(endpoint_)})),
      tls_name_(std::move(tls_name)),
      tls_session_(tls_name_.empty() ? nullptr : std::make_shared<net::TlsSessionSlot>()),
      weight_(weight),
      named_(!net::ParseLiteral(endpoint_).ok()),
      pending_timer_(
          loop_.timers(), [](void* self) { static_cast<Instance*>(self)->OnPendingTimer(); },
          this) {}

void Instance::Acquire(Caller& caller, absl::Time until) {
  // Those that wait will run as soon as they can.
  if (const size_t calls = version_.calls + version_.pending; calls >= options_.calls_max) {
    return caller.OnConnectFailed(
        AcquireFailure::kOverload,
        absl::StrCat(calls, " calls run or wait already: max_calls of circuit_breakers"));
  }
  if (first_waiting_ == nullptr) {
    if (Connection* connection = FindFree(); connection != nullptr) {
      return caller.OnConnected(*connection);
    }
  }
  if (retired_) return caller.OnConnectFailed(AcquireFailure::kConnect, "the instance was removed");
  if (version_.pending >= options_.pending_calls_max) {
    CountLimit(http2::Limit::kPendingCalls);
    return caller.OnConnectFailed(
        AcquireFailure::kOverload,
        absl::StrCat(version_.pending, " calls already wait for a stream to an instance"));
  }
  caller.gives_up_at_ = until;
  Enqueue(caller);
  ConnectIfNeeded();
}

void Instance::Abandon(Caller& caller) {
  if (caller.waits_for_ != nullptr) caller.waits_for_->Dequeue(caller);
}

void Instance::Eject() {
  // One that did well for a while begins anew.
  if (loop_.now() > ejected_until_ + limits::kOutlierRestMax) ejections_ = 0;
  failures_ = 0;
  ejected_until_ =
      loop_.now() + std::min(limits::kOutlierRestMin * ++ejections_, limits::kOutlierRestMax);
}

void Instance::Retire() {
  retired_ = true;
  for (const auto& connection : connections_) connection->Drain("the instance was removed");
  FailWaiting(AcquireFailure::kConnect, "the instance was removed");
}

void Instance::OnTlsChange(const TlsContexts& before) {
  if (tls_name_.empty() || &before.For(service_) == &options_.tls->For(service_)) return;
  for (const auto& connection : connections_) {
    // One that nobody has used yet would look like one that failed.
    if (connection->served()) connection->Drain("the certificates have changed");
  }
}

// One that is choked only where there cannot be another.
Connection* Instance::FindFree() {
  Connection* choked = nullptr;
  for (const auto& connection : connections_) {
    if (!connection->CanOpen()) continue;
    if (!connection->choked()) return connection.get();
    choked = connection.get();
  }
  return choked != nullptr && MayGrow() ? nullptr : choked;
}

void Instance::ServeWaiting() {
  while (first_waiting_ != nullptr) {
    Connection* connection = FindFree();
    if (connection == nullptr) return;
    Caller& caller = *first_waiting_;
    Dequeue(caller);
    caller.OnConnected(*connection);
  }
}

// Connections that drain take no place: streams that last hold them open for hours. An instance
// without another always gets one.
bool Instance::HasRoom() const {
  const size_t live = connections_.size() - draining_;
  return live == 0 || (live < options_.instance_connections_max &&
                       version_.connections - version_.draining < options_.connections_max);
}

// A further connection is allowed, and nothing says that it would be of no use.
bool Instance::MayGrow() const {
  return !retired_ && !barred() && loop_.now() >= rests_until_ && HasRoom();
}

// It said on some connection that it takes no calls; it would say so on others too.
bool Instance::barred() const {
  return std::any_of(connections_.begin(), connections_.end(),
                     [](const auto& connection) { return connection->barred(); });
}

// One attempt at a time: what it brings is known before the next is made.
bool Instance::Growing() const {
  return barred() ||
         std::any_of(connections_.begin(), connections_.end(), [](const auto& connection) {
           return connection->state() == Connection::State::kConnecting;
         });
}

std::unique_ptr<net::ByteStream> Instance::Dial() {
  std::unique_ptr<net::ByteStream> stream = loop_.Connect(endpoint_);
  if (tls_name_.empty()) return stream;
  CHECK(options_.tls != nullptr);
  return options_.tls->For(service_).Connect(shared_.tls, std::move(stream), tls_name_,
                                             tls_session_);
}

void Instance::ConnectIfNeeded() {
  if (first_waiting_ == nullptr || retired_ || Growing() || !HasRoom()) return;
  Connect();
}

void Instance::Connect() {
  ++version_.connections;
  connections_.push_back(std::make_unique<Connection>(shared_, options_, Dial(), *this));
}

// As many as half of the places, those that drain included, which streams that last may hold open:
// the other half is for need.
void Instance::OnConnectionWorn() {
  if (retired_ || Growing()) return;
  if (2 * connections_.size() >= options_.instance_connections_max) return;
  if (2 * version_.connections >= options_.connections_max) return;
  Connect();
}

void Instance::OnConnectionReady() {
  for (const auto& connection : connections_) {
    if (!connection->worn() || connection->state() != Connection::State::kReady) continue;
    CountLimit(http2::Limit::kResetsSent);
    connection->Drain("too many of its calls were reset");
  }
}

void Instance::OnConnectionDraining() {
  ++draining_;
  ++version_.draining;
}

void Instance::OnConnectionDrained() {
  --draining_;
  --version_.draining;
}

void Instance::OnCallStarted() {
  ++calls_;
  ++version_.calls;
  connects_failed_ = 0;
  backoff_ = absl::ZeroDuration();
  rests_until_ = absl::InfinitePast();
}

void Instance::OnCallEnded() {
  --calls_;
  --version_.calls;
}

void Instance::OnStreamFree() {
  ServeWaiting();
  if (first_waiting_ != nullptr && barred())
    FailWaiting(AcquireFailure::kBarred, "the instance takes no calls now");
  ConnectIfNeeded();
}

void Instance::OnConnectionClosed(Connection& connection, absl::string_view why) {
  const bool served = connection.served();
  auto place = std::find_if(connections_.begin(), connections_.end(),
                            [&](const auto& each) { return each.get() == &connection; });
  CHECK(place != connections_.end());
  loop_.DeleteLater(std::move(*place));
  connections_.erase(place);
  --version_.connections;
  if (served) return ConnectIfNeeded();
  backoff_ = std::clamp(backoff_ * 2, limits::kConnectBackoffMin, limits::kConnectBackoffMax);
  rests_until_ = loop_.now() + backoff_;
  // Other connections may still serve those who wait, unless they drain; without any, they had
  // better go elsewhere.
  if (connections_.size() > draining_) return ServeWaiting();
  if (named_ && ++connects_failed_ < limits::kAddressesTriedMax) return ConnectIfNeeded();
  connects_failed_ = 0;
  FailWaiting(AcquireFailure::kConnect, why);
}

void Instance::Enqueue(Caller& caller) {
  caller.waits_for_ = this;
  caller.previous_ = last_waiting_;
  caller.next_ = nullptr;
  (last_waiting_ == nullptr ? first_waiting_ : last_waiting_->next_) = &caller;
  last_waiting_ = &caller;
  ++waiting_;
  ++version_.pending;
  ArmPendingTimer(caller.gives_up_at_);
}

void Instance::Dequeue(Caller& caller) {
  (caller.previous_ == nullptr ? first_waiting_ : caller.previous_->next_) = caller.next_;
  (caller.next_ == nullptr ? last_waiting_ : caller.next_->previous_) = caller.previous_;
  caller.waits_for_ = nullptr;
  caller.previous_ = caller.next_ = nullptr;
  --waiting_;
  --version_.pending;
}

// Only those who wait now: whoever comes back in his turn waits for the next connection.
void Instance::FailWaiting(AcquireFailure failure, absl::string_view why) {
  const std::string reason = absl::StrCat(name_->address, ": ", why);
  for (size_t count = waiting_; count > 0 && first_waiting_ != nullptr; --count) {
    Caller& caller = *first_waiting_;
    Dequeue(caller);
    caller.OnConnectFailed(failure, reason);
  }
}

void Instance::ArmPendingTimer(absl::Time at) {
  if (pending_timer_.armed() && pending_timer_at_ <= at) return;
  pending_timer_at_ = at;
  pending_timer_.Arm(at);
}

// Those who came from another instance have less time left than others before them. One that fails
// may end, but it cannot come back or take others along: no other is looked at in the meantime.
void Instance::OnPendingTimer() {
  absl::InlinedVector<Caller*, 16> late;
  for (Caller* caller = first_waiting_; caller != nullptr; caller = caller->next_) {
    if (caller->gives_up_at_ <= loop_.now()) {
      late.push_back(caller);
    } else {
      ArmPendingTimer(caller->gives_up_at_);
    }
  }
  for (Caller* caller : late) Dequeue(*caller);
  for (Caller* caller : late) {
    CountLimit(http2::Limit::kPendingTime);
    caller->OnConnectFailed(AcquireFailure::kPending,
                            absl::StrCat("no stream to ", name_->address, " became free within ",
                                         absl::FormatDuration(options_.pending_max)));
  }
}

}  // namespace pinion::upstream
