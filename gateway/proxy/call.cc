#include "gateway/proxy/call.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "gateway/limits.h"
#include "gateway/proxy/admission.h"
#include "gateway/proxy/downstream.h"
#include "gateway/proxy/error_answer.h"
#include "gateway/proxy/grpc_timeout.h"
#include "gateway/proxy/proxy.h"
#include "gateway/proxy/response.h"

namespace pinion::proxy {

using http2::ErrorCode;
using http2::EventType;
using http2::HeaderName;

namespace {

// What an instance is told of the deadline is rounded down, by less than this up to a day.
constexpr absl::Duration kTimeoutRoundingMax = absl::Milliseconds(1);

}  // namespace

Call::Call(Proxy& proxy)
    : proxy_(proxy),
      timer_(
          proxy.loop().timers(), [](void* self) { static_cast<Call*>(self)->OnTimer(); }, this),
      attempts_(proxy, *this, request_, response_) {}

void Call::Start(Downstream& downstream, const http2::Event& event) {
  downstream_ = &downstream;
  stream_ = event.stream;
  phase_ = Phase::kIdle;
  stream_->set_user(static_cast<Exchange*>(this));
  headers_.Take(*event.headers);
  arrived_ = event.headers->fields();
  const RequestHead head = ReadRequest(arrived_, downstream.listener(), proxy_.options());
  path_ = head.path;
  version_ = head.version;
  version_repeated_ = head.version_repeated;
  has_timeout_ = head.has_timeout;
  grpc_ = head.grpc;
  trace_.Begin(head.traceparent.value_or(""), head.traceparent_repeated, proxy_.trace_ids());
  table_ = proxy_.table();
  started_ = proxy_.loop().now();
  deadline_ = drain_at_ = absl::InfiniteFuture();
  request_.SetSource({&downstream.transport(), stream_});
  response_.SetSink({&downstream.transport(), stream_});
  proxy_.stats().calls.Add();
  proxy_.stats().calls_total.Add();
  if (event.end_stream) request_.Push({}, true);
  Begin(head);
  arrived_ = {};
}

void Call::Begin(const RequestHead& head) {
  if (std::optional<CallError> error = Accept(head); error.has_value()) return Finish(*error);
  phase_ = Phase::kTrying;
  // The caller has reset it in the same read already, which the next event tells. An instance would
  // only learn that it must count resets.
  if (stream_->closed()) return;
  ArmTimer();
  attempts_.Begin(route_, table_->generation(), deadline_, grpc_);
}

// ---- routing ----

std::optional<CallError> Call::Accept(const RequestHead& head) {
  if (proxy_.memory_stage() >= MemoryStage::kRefuseCalls) {
    proxy_.limits().Add(http2::Limit::kMemoryCalls);
    return OutOfMemory();
  }
  if (!downstream_->listener().any_http2) {
    if (auto error = ProtocolFault(head); error.has_value()) return error;
  }
  Deadline deadline = ReadDeadline(head, started_, proxy_.options().max_deadline);
  if (deadline.fault.has_value()) return std::move(deadline.fault);
  deadline_ = deadline.at;
  if (auto error = Identify(head); error.has_value()) return error;
  return Resolve();
}

std::optional<CallError> Call::Identify(const RequestHead& head) {
  const auto problem = proxy::Identify(head, *downstream_, *table_, caller_);
  if (!problem.has_value()) return std::nullopt;
  // There is no route yet that a refusal could tell of.
  return CallError(route::MakeRefusal(problem->reason, problem->message));
}

std::optional<route::MethodPath> Call::Method() const {
  return route::ParseMethodPath(downstream_->listener().any_http2 ? route::WithoutQuery(path_)
                                                                  : path_);
}

route::CallQuery Call::Query(const route::Consumer* consumer,
                             const route::MethodPath& method) const {
  return {
      .method = method,
      .consumer = consumer,
      .version_header = version_,
      .version_header_repeated = version_repeated_,
      .consumer_required = downstream_->listener().consumer_required,
      .version_header_name = proxy_.options().version_header,
  };
}

std::optional<CallError> Call::Resolve() {
  const std::optional<route::MethodPath> method = Method();
  if (!method.has_value()) return CallError(route::MalformedPath(path_));
  const route::CallQuery query =
      Query(caller_.consumer.has_value() ? &*caller_.consumer : nullptr, *method);
  route::Resolved resolved = table_->Resolve(query, proxy_.header_resolutions());
  if (auto* refusal = std::get_if<route::Refusal>(&resolved)) return CallError(std::move(*refusal));
  route_ = std::get<route::Route>(resolved);
  proxy_.usage().Begin(*table_, route_, query.consumer, method->full, started_);
  if (route_.propose_pin) proxy_.pin_proposals().Note(route_, *caller_.consumer);
  return std::nullopt;
}

bool Call::OnTable(const route::RouteTable& table) {
  if (phase_ == Phase::kIdle || phase_ == Phase::kEnded) return false;
  // A consumer points into the table that found it.
  const auto consumer = caller_.FindIn(table);
  if (!consumer.has_value()) return drains();
  const route::CallQuery query = Query(&*consumer, *Method());
  const std::optional<absl::Duration> drain = table.Drain(query);
  if (!drain.has_value() && !drains()) return false;
  const route::Resolved resolved = table.Resolve(query, proxy_.header_resolutions());
  const auto* route = std::get_if<route::Route>(&resolved);
  if (route != nullptr && route->version->id == route_.version->id) {
    drain_at_ = absl::InfiniteFuture();
  } else if (drain.has_value()) {
    drain_at_ = std::min(drain_at_, proxy_.loop().now() + *drain);
  }
  ArmTimer();
  return drains();
}

absl::Span<const http2::HeaderField> Call::RequestFields(int sent_before) {
  auto& [request, fields, timeout, previous_attempts] = proxy_.scratch();
  if (arrived_.empty()) headers_.AddTo(request);
  timeout = RemainingTimeout();
  const bool trusted = downstream_->trusted() && !caller_.overrides_header();
  AddUpstreamFields(arrived_.empty() ? request : arrived_, downstream_->listener(),
                    proxy_.options(), trusted, grpc_, timeout, fields);
  trace_.AddTo(fields);
  if (sent_before > 0) {
    previous_attempts = SetPreviousAttempts(sent_before, fields);
    fields.push_back(MakeField(HeaderName::kGrpcPreviousAttempts, previous_attempts));
  }
  return fields;
}

void Call::OnNoAttempt(route::Reason reason, absl::string_view message) {
  Finish(Refuse(reason, message));
}

void Call::OnTooLarge(absl::string_view message) {
  CallError error(absl::StatusCode::kResourceExhausted, std::string(message));
  error.http_status = 431;
  Finish(error);
}

std::string Call::RemainingTimeout() const {
  if (deadline_ == absl::InfiniteFuture()) return "";
  const absl::Time now = proxy_.loop().now();
  if (now == started_ && has_timeout_ && !proxy_.options().max_deadline.has_value()) return "";
  return FormatGrpcTimeout(deadline_ - now);
}

// ---- downstream ----

void Call::OnDownstreamEvent(const http2::Event& event) {
  switch (event.type) {
    case EventType::kData:
      if (request_ended_)
        return downstream_->transport().session().Consume(*stream_, event.data.size());
      request_.Push(event.data, event.end_stream);
      break;
    case EventType::kTrailers:
      if (!request_ended_ && attempts_.TakesTrailers(*event.headers))
        request_.PushTrailers(*event.headers);
      break;
    case EventType::kReset:
      trail_.OnReset(event.reset_by_us ? "connection" : "caller", event.error);
      return End(ErrorCode::kNoError, ErrorCode::kCancel);
    default:
      return;
  }
  Settle();
}

void Call::OnDownstreamWritable() {
  response_.OnSinkWritable();
  Settle();
}

void Call::OnUpstreamWritable() {
  request_.OnSinkWritable();
  Settle();
}

// ---- response ----

void Call::OnUpstreamEvent(const http2::Event& event) {
  if (foreign_.active()) return OnForeignEvent(event);
  switch (event.type) {
    case EventType::kHeaders:
      return OnResponseHeaders(event);
    case EventType::kInterim:
      if (!grpc_)
        downstream_->transport().session().SendHeaders(*stream_, event.headers->fields(), false);
      return;
    case EventType::kData:
      if (event.end_stream && grpc_) {
        response_.Push(event.data, false);
        http2::HeaderBlock none;
        return OnResponseTrailers(none);
      }
      response_.Push(event.data, event.end_stream);
      return Settle();
    case EventType::kTrailers:
      return OnResponseTrailers(*event.headers);
    case EventType::kReset:
      return OnUpstreamReset(event);
    default:
      return;
  }
}

void Call::OnResponseHeaders(const http2::Event& event) {
  std::optional<CallError> error = CheckResponse(*event.headers, event.end_stream);
  const bool trailers_only = event.end_stream && grpc_;
  int status = -1;  // -1: an answer begins
  if (error.has_value()) {
    status = static_cast<int>(error->code);
  } else if (trailers_only) {
    status = GrpcStatusOf(*event.headers);
  }
  attempts_.Report(status == static_cast<int>(absl::StatusCode::kUnavailable));
  if (status > 0 &&
      attempts_.RetryFailed(status, event.headers->Find(HeaderName::kGrpcRetryPushback))) {
    return;
  }
  trail_.OnAnswer(proxy_.loop().now(), *event.headers);
  if (error.has_value()) {
    if (event.end_stream) return AnswerFor(*error);
    request_.ForgetReplay();
    foreign_.Begin(*std::move(error), proxy_.loop().now());
    return ArmTimer();
  }
  phase_ = Phase::kAnswering;
  request_.ForgetReplay();
  std::vector<http2::HeaderField>& fields = proxy_.scratch().fields;
  AddDownstreamFields(*event.headers, *route_.version, proxy_.options().version_header, fields);
  downstream_->transport().session().SendHeaders(*stream_, fields, event.end_stream);
  if (event.end_stream) {
    grpc_status_ = status;
    if (status == 0) attempts_.CountAnswer(status);
    response_.MarkDone();
  }
  Settle();
}

std::optional<CallError> Call::CheckResponse(const http2::HeaderBlock& headers,
                                             bool end_stream) const {
  if (!grpc_) return std::nullopt;
  const ResponseHead response = ReadResponse(headers);
  if (response.has_grpc_status && end_stream) return std::nullopt;
  if (response.status != "200") {
    return CallError(CodeOfHttpStatus(response.status),
                     absl::StrCat("the instance answered with HTTP status ", response.status));
  }
  if (!IsGrpcContentType(response.content_type)) {
    return CallError(
        absl::StatusCode::kUnknown,
        absl::StrCat("the instance answered with content-type '",
                     route::Printable(response.content_type), "' instead of application/grpc"));
  }
  if (end_stream) {
    return CallError(absl::StatusCode::kUnknown,
                     "the instance ended the call without a grpc-status");
  }
  return std::nullopt;
}

void Call::OnForeignEvent(const http2::Event& event) {
  switch (foreign_.OnEvent(event, attempts_.connection()->transport().session())) {
    case ForeignAnswer::Progress::kReading:
      return;
    case ForeignAnswer::Progress::kWhole: {
      const CallError error = foreign_.Take();
      ArmTimer();
      return AnswerFor(error);
    }
    case ForeignAnswer::Progress::kCut:
      if (event.type == EventType::kData) CountForeignAnswer();
      return Finish(foreign_.Take());
  }
}

void Call::CountForeignAnswer() {
  attempts_.connection()->instance().CountLimit(http2::Limit::kForeignAnswers);
}

// The gRPC status that stands for a whole answer. As after any whole answer, the instance still
// gets the rest of the request unless it refuses it.
void Call::AnswerFor(const CallError& error) {
  grpc_status_ = static_cast<int>(error.code);
  trail_.OnError(error);
  SendErrorHeaders(error);
  Settle();
}

void Call::OnResponseTrailers(http2::HeaderBlock& trailers) {
  if (grpc_) {
    grpc_status_ = GrpcStatusOf(trailers);
    if (trailers.Find(HeaderName::kGrpcStatus) == nullptr) {
      const CallError error(absl::StatusCode::kUnknown,
                            "the instance ended the call without a grpc-status");
      AddGrpcStatus(error, trailers);
      grpc_status_ = static_cast<int>(error.code);
    }
  }
  attempts_.CountAnswer(grpc_status_);
  response_.PushTrailers(trailers);
  Settle();
}

void Call::OnUpstreamReset(const http2::Event& event) {
  if (response_.ended()) {
    // The answer is whole; the instance only does not want the rest of the request.
    request_ended_ = true;
    attempts_.Release(ErrorCode::kNoError);
    return Settle();
  }
  const bool lost = attempts_.connection()->transport().session().failed();
  const absl::StatusCode code = lost ? absl::StatusCode::kUnavailable : CodeOfReset(event.error);
  if (event.error != ErrorCode::kCancel && event.error != ErrorCode::kRefusedStream) {
    attempts_.Report(/*failed=*/true);
  }
  if (phase_ == Phase::kTrying &&
      (attempts_.RetryUnseen(event) || attempts_.RetryFailed(static_cast<int>(code), nullptr))) {
    return;
  }
  if (event.error == ErrorCode::kCancel && !event.reset_by_us) {
    // A server that keeps the deadline itself cancels then, up to the rounding of what it was told
    // before we do. A caller whose clock is as coarse would take that for somebody's wish.
    if (deadline_ - proxy_.loop().now() < kTimeoutRoundingMax) return Finish(DeadlinePassed());
    grpc_status_ = static_cast<int>(absl::StatusCode::kCancelled);
    trail_.OnReset("instance", event.error);
    return End(ErrorCode::kCancel, ErrorCode::kNoError);
  }
  const std::string what =
      lost ? std::string("the connection to the instance was lost before the call ended")
      : event.reset_by_us
          ? absl::StrCat("the instance broke the HTTP/2 protocol: ",
                         http2::ErrorCodeName(event.error))
          : absl::StrCat("the instance reset the call with ", http2::ErrorCodeName(event.error));
  Finish(CallError(
      route::MakeRefusalWithCode(route::Reason::kUpstreamReset, code, what,
                                 {{"service", route_.service->name},
                                  {"version", route_.version->name},
                                  {"code", std::string(http2::ErrorCodeName(event.error))}})));
}

// ---- ends ----

void Call::ArmTimer() {
  const absl::Time at = std::min({deadline_, drain_at_, foreign_.until()});
  if (at == absl::InfiniteFuture()) return timer_.Cancel();
  timer_.Arm(at);
}

void Call::OnTimer() {
  if (deadline_ <= proxy_.loop().now()) return Cut(DeadlinePassed());
  if (foreign_.active()) {
    CountForeignAnswer();
    return Cut(foreign_.Take());
  }
  Cut(CallError(absl::StatusCode::kUnavailable,
                absl::StrCat("the pin has moved away from ", route_.service->name, " ",
                             route_.version->name, " and its time to drain is over; call again")));
}

void Call::EndForMemory() {
  if (phase_ == Phase::kIdle || phase_ == Phase::kEnded) return;
  Cut(OutOfMemory());
}

// Also an answer that is whole here but not with the caller: it must not end without a status.
void Call::Cut(const CallError& error) {
  if (response_.done()) return End(ErrorCode::kNoError, ErrorCode::kCancel);
  response_.DropWaiting();
  Finish(error);
}

void Call::Finish(const CallError& error) {
  request_ended_ = true;
  grpc_status_ = static_cast<int>(error.code);
  trail_.OnError(error);
  response_.SetSource({});
  attempts_.End(ErrorCode::kCancel);
  if (phase_ != Phase::kAnswering) {
    SendErrorHeaders(error);
  } else if (grpc_) {
    http2::HeaderBlock trailers;
    AddGrpcStatus(error, trailers);
    response_.PushTrailers(trailers);
  } else {
    trail_.OnReset("gateway", ErrorCode::kInternalError);
    return End(ErrorCode::kInternalError, ErrorCode::kCancel);
  }
  Settle();
}

void Call::SendErrorHeaders(const CallError& error) {
  phase_ = Phase::kAnswering;
  SendError(error, grpc_, downstream_->transport().session(), *stream_, response_);
}

void Call::Settle() {
  if (phase_ == Phase::kEnded) return;
  // A stream that is over is told nothing more, not even that its connection has gone: from now on
  // nobody may hold it.
  if (attempts_.stream() != nullptr && attempts_.stream()->closed() && response_.ended()) {
    attempts_.Release(ErrorCode::kNoError);
    // All of the request is with the instance, or it wants no more of it: a reset in the same read
    // as the answer's end is not told any more.
    request_ended_ = true;
  }
  if (!response_.done()) return;
  // The answer is said. Of the request, only the instance could still want something, and for a
  // caller that has ended too nobody asks any more.
  if (request_ended_ || request_.ended()) {
    End(ErrorCode::kNoError, ErrorCode::kCancel);
  }
}

void Call::End(ErrorCode downstream_code, ErrorCode upstream_code) {
  if (std::exchange(phase_, Phase::kEnded) == Phase::kEnded) return;
  timer_.Cancel();
  Report();
  attempts_.End(upstream_code);
  stream_->set_user(nullptr);  // what the running batch still holds for it is nobody's
  downstream_->ReleaseCall(*stream_, downstream_code);
  headers_.Clear();
  request_.Reset();
  response_.Reset();
  foreign_.Reset();
  caller_ = Caller();
  route_ = route::Route();
  table_.reset();
  trail_.Clear();
  attempts_.ForgetTrail();
  request_ended_ = false;
  grpc_status_ = -1;
  proxy_.Recycle(*this);
}

CallError Call::Refuse(route::Reason reason, absl::string_view message) const {
  const route::Consumer* consumer = caller_.consumer.has_value() ? &*caller_.consumer : nullptr;
  return CallError(route::RouteTable::RefuseRoute(route_, consumer, reason, message));
}

}  // namespace pinion::proxy
