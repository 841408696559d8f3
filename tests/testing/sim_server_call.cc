#include "tests/testing/sim_server_call.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

namespace pinion::testing {
namespace {

using Kind = ResponsePlan::Kind;

std::vector<http2::HeaderField> AsFields(const Metadata& metadata) {
  std::vector<http2::HeaderField> fields;
  for (const auto& [name, value] : metadata) fields.push_back({name, value});
  return fields;
}

}  // namespace

SimServer::Call::Call(net::EventLoop& loop, transport::Connection& connection,
                      http2::Stream& stream, const CallPlan& plan, AttemptRecord& attempt,
                      std::function<void(Call&)> on_over)
    : loop_(loop),
      connection_(connection),
      stream_(&stream),
      plan_(plan),
      attempt_(attempt),
      on_over_(std::move(on_over)),
      delay_(
          loop.timers(), [](void* self) { static_cast<Call*>(self)->Answer(); }, this),
      sender_(loop, connection, [this] { OnBodySent(); }),
      reader_(loop, connection, plan.request_reading) {}

void SimServer::Call::Begin(bool end_stream) {
  if (end_stream) {
    OnRequestEnd();
  } else {
    MaybeStart();
  }
}

void SimServer::Call::OnEvent(const http2::Event& event) {
  switch (event.type) {
    case http2::EventType::kData:
      if (!reader_.Receive(*stream_, event.data, attempt_.body, plan_.request.bytes)) {
        attempt_.body_differs = true;
      }
      if (plan_.response.kind == Kind::kEcho) sender_.Append(event.data);
      if (event.end_stream) {
        OnRequestEnd();
      } else {
        MaybeStart();
      }
      break;
    case http2::EventType::kTrailers:
      OnRequestEnd();
      break;
    case http2::EventType::kReset:
      attempt_.reset_code = event.error;
      End(event.reset_by_us ? AttemptRecord::End::kConnectionLost
                            : AttemptRecord::End::kResetByPeer);
      break;
    default:
      break;
  }
}

void SimServer::Call::OnWritable() {
  sender_.Pump();
  attempt_.response_bytes_sent = sender_.sent();
}

void SimServer::Call::OnRequestEnd() {
  attempt_.request_ended = true;
  if (plan_.response.kind == Kind::kEcho) sender_.FinishAppending();
  MaybeStart();
  if (stream_ != nullptr && attempt_.response_ended) End(AttemptRecord::End::kAnswered);
}

void SimServer::Call::MaybeStart() {
  if (start_due_ || stream_ == nullptr || plan_.response.kind == Kind::kNeverAnswer) return;
  const uint64_t start = plan_.response.start_at_request_byte;
  if (!attempt_.request_ended && attempt_.body.size() < start) return;
  start_due_ = true;
  if (plan_.response.delay > absl::ZeroDuration()) {
    delay_.Arm(loop_.now() + plan_.response.delay);
  } else {
    Answer();
  }
}

void SimServer::Call::Answer() {
  if (stream_->local_closed()) return;  // reset; see BodySender::Pump()
  const ResponsePlan& response = plan_.response;
  if (attempt_.number <= response.failing_attempts) return Fail();
  const http2::HeaderField interim[] = {{":status", "103"}, {"link", "</style.css>"}};
  for (int i = 0; i < response.interims; ++i) {
    connection_.session().SendHeaders(*stream_, interim, false);
  }
  switch (response.kind) {
    case Kind::kNormal:
    case Kind::kRefuse:
      SendHeaders(false, 200, "application/grpc");
      sender_.Start(*stream_, response.body, false);
      break;
    case Kind::kEcho:
      SendHeaders(false, 200, "application/grpc");
      sender_.StartEcho(*stream_);
      break;
    case Kind::kTrailersOnly:
      SendHeaders(true, 200, "application/grpc");
      OnAnswered();
      break;
    case Kind::kReset:
      if (response.reset_before_headers) {
        return End(AttemptRecord::End::kResetByServer, response.reset_code);
      }
      SendHeaders(false, 200, "application/grpc");
      cut_body_ = response.body;
      cut_body_.bytes.resize(std::min<size_t>(response.reset_after_bytes, cut_body_.bytes.size()));
      std::erase_if(cut_body_.pauses,
                    [this](const Pause& pause) { return pause.at_byte > cut_body_.bytes.size(); });
      sender_.Start(*stream_, cut_body_, false);
      break;
    case Kind::kHttpError:
      SendHeaders(false, response.http_status, "text/html");
      sender_.Start(*stream_, response.body, true);
      break;
    case Kind::kNeverAnswer:
      break;
  }
  attempt_.response_bytes_sent = sender_.sent();
}

void SimServer::Call::Fail() {
  const std::string status = absl::StrCat(plan_.response.failing_status);
  std::vector<http2::HeaderField> fields = {
      {":status", "200"}, {"content-type", "application/grpc"}, {"grpc-status", status}};
  for (const http2::HeaderField& field : AsFields(plan_.response.failing_trailers)) {
    fields.push_back(field);
  }
  connection_.session().SendHeaders(*stream_, fields, true);
  OnAnswered();
}

void SimServer::Call::SendHeaders(bool end_stream, int http_status, const char* content_type) {
  const std::string status = absl::StrCat(http_status);
  const std::string grpc_status = absl::StrCat(plan_.response.grpc_status);
  std::vector<http2::HeaderField> fields = {{":status", status}, {"content-type", content_type}};
  for (const auto& [name, value] : plan_.response.headers) fields.push_back({name, value});
  if (end_stream) {
    fields.push_back({"grpc-status", grpc_status});
    if (!plan_.response.grpc_message.empty()) {
      fields.push_back({"grpc-message", plan_.response.grpc_message});
    }
    for (const auto& [name, value] : plan_.response.trailers) fields.push_back({name, value});
  }
  connection_.session().SendHeaders(*stream_, fields, end_stream);
}

void SimServer::Call::SendTrailers() {
  const std::string grpc_status = absl::StrCat(plan_.response.grpc_status);
  std::vector<http2::HeaderField> fields = {{"grpc-status", grpc_status}};
  if (!plan_.response.grpc_message.empty()) {
    fields.push_back({"grpc-message", plan_.response.grpc_message});
  }
  for (const http2::HeaderField& field : AsFields(plan_.response.trailers)) fields.push_back(field);
  connection_.session().SendTrailers(*stream_, fields);
}

void SimServer::Call::OnBodySent() {
  attempt_.response_bytes_sent = sender_.sent();
  if (plan_.response.kind == Kind::kReset) {
    End(AttemptRecord::End::kResetByServer, plan_.response.reset_code);
  } else {
    if (plan_.response.kind != Kind::kHttpError) SendTrailers();
    OnAnswered();
  }
}

void SimServer::Call::OnAnswered() {
  attempt_.response_ended = true;
  if (attempt_.request_ended || plan_.response.reset_after_answer) {
    End(AttemptRecord::End::kAnswered);
  }
}

void SimServer::Call::End(AttemptRecord::End end, http2::ErrorCode code) {
  // A peer may reset a request whose answer it has.
  attempt_.end = attempt_.response_ended ? AttemptRecord::End::kAnswered : end;
  attempt_.ended = loop_.now();
  attempt_.response_bytes_sent = sender_.sent();
  delay_.Cancel();
  sender_.Stop();
  reader_.Stop();
  stream_->set_user(nullptr);
  connection_.session().Release(*std::exchange(stream_, nullptr), code);
  on_over_(*this);
}

}  // namespace pinion::testing
