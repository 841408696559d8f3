#include "gateway/proxy/builtin_exchange.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "gateway/limits.h"
#include "gateway/proxy/downstream.h"
#include "gateway/proxy/error_answer.h"
#include "gateway/proxy/identify.h"
#include "gateway/proxy/proxy.h"
#include "gateway/proxy/request.h"
#include "gateway/proxy/trace_context.h"

namespace pinion::proxy {
namespace {

// Length-Prefixed-Message: a flag and four bytes of length. Source: gRPC over HTTP/2.
constexpr size_t kPrefixBytes = 5;

// Of an answer, what the connection is given at a time, and what waits here if it does not take it:
// a frame.
constexpr size_t kPieceBytes = 16 * 1024;

size_t LengthOf(const std::string& prefix) {
  const auto byte = [&](int i) {
    return static_cast<size_t>(static_cast<unsigned char>(prefix[i]));
  };
  return byte(1) << 24 | byte(2) << 16 | byte(3) << 8 | byte(4);
}

}  // namespace

BuiltinExchange::BuiltinExchange(Proxy& proxy, Downstream& downstream)
    : proxy_(proxy),
      downstream_(downstream),
      timer_(
          proxy.loop().timers(),
          [](void* self) { static_cast<BuiltinExchange*>(self)->Cut(DeadlinePassed()); }, this) {}

void BuiltinExchange::Start(const http2::Event& event) {
  stream_ = event.stream;
  stream_->set_user(static_cast<Exchange*>(this));
  response_.SetSink({&downstream_.transport(), stream_});
  const RequestHead head =
      ReadRequest(event.headers->fields(), downstream_.listener(), proxy_.options());
  path_ = std::string(head.path);
  trace_id_ = std::string(TraceIdOf(head.traceparent.value_or("")));
  started_ = proxy_.loop().now();
  grpc_ = head.grpc;
  if (auto error = ProtocolFault(head); error.has_value()) return EndWith(*error);
  // No cap of ours: a watch is meant to go on.
  const Deadline deadline = ReadDeadline(head, started_, /*longest=*/std::nullopt);
  if (deadline.fault.has_value()) return EndWith(*deadline.fault);
  if (deadline.at != absl::InfiniteFuture()) timer_.Arm(deadline.at);
  builtin::Context context{.table = proxy_.table(),
                           .consumer_required = downstream_.listener().consumer_required};
  const auto method = route::ParseMethodPath(head.path);
  Caller caller;
  const auto problem = Identify(head, downstream_, *context.table, caller);
  // Readiness needs no credential, so one that is bad does no harm there.
  if (problem.has_value() && !builtin::IsHealth(method->grpc_service)) {
    return EndWith(CallError(route::MakeRefusal(problem->reason, problem->message)));
  }
  if (!problem.has_value()) {
    context.identity = std::string(caller.identity);
    context.identity_kind = caller.kind;
  }
  call_ = builtin::Start(*method, std::move(context), *this);
  if (call_ == nullptr) {
    return EndWith(CallError(absl::StatusCode::kUnimplemented,
                             absl::StrCat("the gateway's own ", method->grpc_service,
                                          " has no method ", method->method)));
  }
  if (event.end_stream) Receive({}, true);
}

void BuiltinExchange::OnTable(const std::shared_ptr<const route::RouteTable>& table) {
  if (call_ != nullptr && !ended_) call_->OnTable(table);
}

void BuiltinExchange::OnLastGoAway() {
  EndWith(CallError(absl::StatusCode::kUnavailable,
                    "the gateway ends this connection; call again on another"));
}

void BuiltinExchange::Cut(const CallError& error) {
  if (closed_) return;
  response_.DropWaiting();
  answer_.Clear();
  SayLast(error);
}

void BuiltinExchange::OnDownstreamEvent(const http2::Event& event) {
  if (event.type == http2::EventType::kReset) {
    reset_by_ = event.reset_by_us ? "connection" : "caller";
    reset_ = http2::ErrorCodeName(event.error);
    return Close();
  }
  if (event.type == http2::EventType::kData) {
    request_bytes_ += event.data.size();
    downstream_.transport().session().Consume(*stream_, event.data.size());
    Receive(event.data, event.end_stream);
  } else if (event.type == http2::EventType::kTrailers) {
    Receive({}, true);
  }
}

void BuiltinExchange::OnDownstreamWritable() {
  response_.OnSinkWritable();
  SendWaiting();
  // What waited for room in the answer goes on.
  Receive({}, false);
}

void BuiltinExchange::Receive(http2::Bytes bytes, bool end) {
  request_ended_ = request_ended_ || end;
  if (!ended_) received_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (received_.size() > limits::kBuiltinBacklogBytesMax) {
    EndWith(CallError(absl::StatusCode::kResourceExhausted,
                      "too many requests wait for their answers; read the answers"));
  }
  while (!ended_ && idle() && DeliverMessage()) {
  }
  if (!ended_ && request_ended_ && idle()) EndRequest();
  Settle();
}

void BuiltinExchange::EndRequest() {
  if (received_.empty()) return call_->OnHalfClose();
  EndWith(CallError(absl::StatusCode::kInternal, "the request ended within a message"));
}

bool BuiltinExchange::DeliverMessage() {
  if (received_.size() < kPrefixBytes) return false;
  const size_t length = LengthOf(received_);
  if (received_[0] != 0 || length > limits::kBuiltinMessageBytesMax) {
    EndWith(CallError(
        received_[0] != 0 ? absl::StatusCode::kUnimplemented : absl::StatusCode::kResourceExhausted,
        "the gateway's own services take small, uncompressed messages"));
    return false;
  }
  if (received_.size() < kPrefixBytes + length) return false;
  const std::string message = received_.substr(kPrefixBytes, length);
  received_.erase(0, kPrefixBytes + length);
  call_->OnMessage(message);
  return true;
}

void BuiltinExchange::SendHeaders() {
  if (std::exchange(headers_sent_, true)) return;
  downstream_.transport().session().SendHeaders(
      *stream_, {{":status", "200"}, {"content-type", "application/grpc"}}, false);
}

void BuiltinExchange::Send(absl::Cord message, size_t shared_bytes) {
  SendHeaders();
  const size_t n = message.size();
  const std::string prefix = {0, static_cast<char>(n >> 24), static_cast<char>(n >> 16),
                              static_cast<char>(n >> 8), static_cast<char>(n)};
  answer_.Append(prefix);
  answer_.Append(std::move(message));
  answer_own_bytes_ += kPrefixBytes + n - shared_bytes;
  SendWaiting();
}

void BuiltinExchange::SendWaiting() {
  while (!answer_.empty() && response_.waiting_bytes() == 0) {
    const absl::string_view piece = answer_.chunk_begin()->substr(0, kPieceBytes);
    response_.Push(http2::Bytes(reinterpret_cast<const uint8_t*>(piece.data()), piece.size()),
                   false);
    answer_.RemovePrefix(piece.size());
  }
  if (!answer_.empty()) return;
  answer_own_bytes_ = 0;
  if (!last_.has_value()) return;
  http2::HeaderBlock block;
  AddGrpcStatus(*last_, block);
  last_.reset();
  response_.PushTrailers(block);
}

bool BuiltinExchange::MayLook(size_t services) {
  const bool may = proxy_.reflection_looks().Take(services, proxy_.loop().now());
  if (!may) proxy_.limits().Add(http2::Limit::kReflection);
  return may;
}

void BuiltinExchange::End(const absl::Status& status) {
  EndWith(CallError(status.code(), std::string(status.message())));
}

void BuiltinExchange::EndWith(const CallError& error) {
  if (!ended_) SayLast(error);
}

void BuiltinExchange::SayLast(const CallError& error) {
  ended_ = true;
  received_.clear();
  if (grpc_) {
    grpc_status_ = static_cast<int>(error.code);
  } else {
    http_status_ = HttpStatusOf(error);
  }
  if (!headers_sent_) {
    SendError(error, grpc_, downstream_.transport().session(), *stream_, response_);
  } else {
    last_ = error;
    SendWaiting();
  }
  Settle();
}

void BuiltinExchange::Settle() {
  if (ended_ && response_.done()) Close();
}

void BuiltinExchange::Close() {
  if (std::exchange(closed_, true)) return;
  ended_ = true;
  timer_.Cancel();
  if (access_log::Sink* sink = proxy_.access_log(); sink != nullptr) Log(*sink);
  stream_->set_user(nullptr);
  downstream_.ReleaseCall(*stream_, http2::ErrorCode::kNoError);
  proxy_.Discard(*this);
}

void BuiltinExchange::Log(access_log::Sink& sink) const {
  access_log::Record record;
  record.grpc_status = response_.done() ? grpc_status_ : -1;
  record.http_status = http_status_;
  record.trace_id = trace_id_;
  if (!sink.Wants(record.ok() && reset_by_.empty(), trace_id_)) return;
  const absl::Time now = proxy_.loop().now();
  record.start = sink.WallTime(started_, now);
  record.listener = downstream_.listener().name;
  record.peer = downstream_.peer();
  record.method = path_;
  record.source = "gateway";
  record.reset = reset_;
  record.reset_by = reset_by_;
  record.request_bytes = request_bytes_;
  record.response_bytes = response_.forwarded_bytes();
  record.duration = now - started_;
  sink.Write(record);
}

}  // namespace pinion::proxy
